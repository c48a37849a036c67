// The program that loads a submission and answers one question about it on a private descriptor.
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>

#include "json.h"
#include "options.h"
#include "tasks.h"

using namespace gauntlet;

extern "C" char __libc_single_threaded;

namespace {

// A handler cannot return into the program, so it leaves the execution from where it stands.
void crashed(int signal, siginfo_t* info, void* context) {
    const auto* machine = static_cast<const ucontext_t*>(context);
    const auto pc = static_cast<Address>(machine->uc_mcontext.gregs[REG_RIP]);
    if (!the_execution || !the_execution->running()) {
        ::signal(signal, SIG_DFL);
        raise(signal);
        return;
    }
    in_program = false;
    char what[160];
    if (signal == SIGSEGV || signal == SIGBUS)
        std::snprintf(what, sizeof what,
                      "A thread must only touch memory that exists: it used address %p.",
                      info->si_addr);
    else
        std::snprintf(what, sizeof what, "A thread must not crash: it got signal %d (%s).", signal,
                      strsignal(signal));
    the_execution->fail("crash", what, pc + 1);
}

// Called regularly: a thread that went round for a whole second without an event never ends.
void tick(int, siginfo_t*, void* context) {
    static std::uint64_t last_steps = 0;
    static int silent_ticks = 0;
    if (!the_execution || !the_execution->running() || the_execution->steps != last_steps) {
        last_steps = the_execution ? the_execution->steps : 0;
        silent_ticks = 0;
        return;
    }
    if (++silent_ticks < 4 || !in_program) return;
    silent_ticks = 0;
    in_program = false;
    const auto* machine = static_cast<const ucontext_t*>(context);
    the_execution->fail("endless_loop",
                        "A loop must end or wait for an atomic variable: this one does neither.",
                        static_cast<Address>(machine->uc_mcontext.gregs[REG_RIP]) + 1);
}

void install_handlers() {
    static char stack[64 << 10];
    stack_t alternative{};
    alternative.ss_sp = stack;
    alternative.ss_size = sizeof stack;
    sigaltstack(&alternative, nullptr);
    struct sigaction action{};
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
    action.sa_sigaction = crashed;
    for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP})
        sigaction(signal, &action, nullptr);
    action.sa_sigaction = tick;
    sigaction(SIGALRM, &action, nullptr);
    itimerval every{};
    every.it_interval.tv_usec = every.it_value.tv_usec = 250000;
    setitimer(ITIMER_REAL, &every, nullptr);
}

}  // namespace

int main(int argc, char** argv) {
    const Options options = parse_options(argc, argv);
    // glibc would let shared_ptr count without atomics: it sees only one thread.
    __libc_single_threaded = 0;
    static Heap heap;
    static Shadow shadow;
    static Image image;
    static Execution execution(heap, shadow, image);
    shadow.watch(heap.base(), heap.bytes());
    const std::string error = image.load(options.program.c_str(), heap, shadow);
    if (!error.empty()) {
        Json message;
        message.object().member("type", "error").member("message", error).end_object();
        send_message(options.descriptor, message);
        _exit(3);
    }
    install_handlers();
    run_task(options, execution, image);
    _exit(0);
}
