// Bundles src/ into app/static/build/: three scripts, KaTeX's style sheet and its fonts.
// Django gives the files their hashed names, so nothing here has one.
import { copyFile, mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const output = join(here, "..", "static", "build");
const katex = join(here, "node_modules", "katex", "dist");

await rm(output, { recursive: true, force: true });
await mkdir(join(output, "fonts"), { recursive: true });

await build({
  absWorkingDir: here,
  entryPoints: ["src/site.js", "src/practice.js", "src/authoring.js"],
  outdir: output,
  bundle: true,
  minify: true,
  format: "iife",
  target: ["chrome115", "firefox121", "safari17"],
  legalComments: "linked",
  logLevel: "warning",
});

// Every browser that we support reads woff2: the older formats stay out, and so do their names,
// which the hashing of static files would look for.
const css = await readFile(join(katex, "katex.min.css"), "utf8");
const onlyWoff2 = css.replace(/,url\([^)]*\.(?:woff|ttf)\) format\("[a-z]+"\)/g, "");
await writeFile(join(output, "katex.css"), onlyWoff2);
for (const name of await readdir(join(katex, "fonts"))) {
  if (name.endsWith(".woff2")) {
    await copyFile(join(katex, "fonts", name), join(output, "fonts", name));
  }
}
