"""What the statement gives: published figures with their sources, and the exercise's own.

Numbers without a source are this exercise's: prices, delays and workloads that no publication
fixes. The statement's tables say the same, and a test holds the two together.
"""

from __future__ import annotations

from typing import NamedTuple


class Given(NamedTuple):
    """A constant of the exercise. `source` is empty where nobody published it."""

    value: float
    unit: str
    source: str = ""


LLAMA_3 = "Grattafiori et al., The Llama 3 Herd of Models, arXiv:2407.21783"
SEMIANALYSIS = "SemiAnalysis, 100,000 H100 Clusters, 2024"
H100 = "NVIDIA, H100 Tensor Core GPU data sheet (SXM)"
LATENT_SPACE = "Cheah, H100 prices of August 2024, spreadsheet to Latent Space's GPU bubble article"

GIVENS: dict[str, Given] = {
    # The site.
    "nodes": Given(12_500, "nodes of 8 GPUs"),
    # The model: dense, SwiGLU, grouped-query attention, untied tables.
    "layers": Given(160, ""),
    "hidden": Given(24_576, ""),
    "heads": Given(192, ""),
    "kv_heads": Given(16, ""),
    "head_dim": Given(128, ""),
    "ffn_hidden": Given(66_560, ""),
    "vocab": Given(131_072, ""),
    "seq_len": Given(8_192, "tokens"),
    "train_tokens": Given(20e12, "tokens"),
    "batch_limit": Given(2**25, "tokens"),
    "deadline_days": Given(50, "days"),
    "bytes_a_token": Given(1_000, "B/token"),
    # An H100 and its node.
    "peak_tflops": Given(989.4, "TFLOP/s", H100),
    "fp8_tflops": Given(1_978.9, "TFLOP/s", H100),
    "hbm_gb": Given(80, "GB", H100),
    "hbm_tb_per_s": Given(3.35, "TB/s", H100),
    "nvlink_gb_per_s": Given(450, "GB/s", H100),
    "tdp_w": Given(700, "W", H100),
    "gemm_share": Given(0.6, ""),
    "usable_share": Given(0.95, ""),
    "dp_overlap": Given(0.5, ""),
    "pcie_gb_per_s": Given(50, "GB/s"),
    # The network.
    "nic_gb_per_s": Given(50, "GB/s", H100 + "; ConnectX-7, 400 Gbit/s"),
    "plain_share": Given(0.60, "", "NVIDIA, Spectrum-X and xAI's Colossus, October 2024"),
    "adaptive_share": Given(0.95, "", "NVIDIA, Spectrum-X and xAI's Colossus, October 2024"),
    # Failures and restarts.
    "gpu_mtbf_h": Given(50_000, "h", "Epoch AI, hardware failures and training runs"),
    "repair_h": Given(24, "h"),
    "replace_min": Given(1, "min"),
    "start_min": Given(1.5, "min"),
    "barrier_s": Given(2, "s"),
    "samples_a_store": Given(1e6, "samples/s"),
    # Storage: Llama 3's 7,500 servers hold 240 PB and give 2 TB/s, 7 TB/s at their peak.
    "server_tb": Given(240_000 / 7_500, "TB", LLAMA_3),
    "server_gb_per_s": Given(2_000 / 7_500, "GB/s", LLAMA_3),
    "server_peak_gb_per_s": Given(7_000 / 7_500, "GB/s", LLAMA_3),
    # Power.
    "node_kw": Given(10.2, "kW", "NVIDIA, DGX H100 user guide"),
    "load": Given(0.8, ""),
    "switch_w_64": Given(800, "W"),
    "switch_w_128": Given(1_100, "W"),
    "port_w": Given(8.5, "W"),
    "server_w": Given(1_000, "W"),
    "air_pue": Given(1.25, ""),
    "liquid_pue": Given(1.12, ""),
    "grid_mw": Given(180, "MW"),
    # Money.
    "node_usd": Given(310_000, "USD", LATENT_SPACE),
    "plain_switch_usd": Given(36_000, "USD", LATENT_SPACE),
    "adaptive_switch_usd": Given(50_000, "USD", LATENT_SPACE),
    "wide_price": Given(2.1, ""),
    "cable_usd": Given(1_280, "USD", LATENT_SPACE),
    "server_usd": Given(25_000, "USD"),
    "air_building_musd": Given(
        11.7, "MUSD/MW", "Cushman & Wakefield, Data Center Development Cost Guide 2025"
    ),
    "liquid_building_musd": Given(13.0, "MUSD/MW"),
    "equipment_years": Given(4, "years"),
    "building_years": Given(15, "years"),
    "tariff": Given(0.078, "USD/kWh", SEMIANALYSIS),
    "demand_charge": Given(10, "USD/kW a month"),
    # Serving the same model.
    "peak_tokens": Given(1e6, "tokens/s"),
    "prompt_tokens": Given(4e6, "tokens/s"),
    "mean_share": Given(0.5, ""),
    "context": Given(4_096, "tokens"),
    "itl_limit_ms": Given(80, "ms"),
    "price_limit": Given(13, "USD/M tokens"),
    "cache_share": Given(0.9, ""),
    "hbm_share": Given(0.7, ""),
    "serving_gemm_share": Given(0.5, ""),
    "hop_ms": Given(0.01, "ms"),
}

VALUES: dict[str, float] = {name: given.value for name, given in GIVENS.items()}
