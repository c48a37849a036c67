/* Makes a slot: user, network, uts and cgroup namespaces once, for one run after another.
 *
 * Started by slot.py with the descriptors that slot.h names. Ends when the runner does, or when the
 * runner closes the socket; then the kernel ends all that is inside with process 1.
 */
#define _GNU_SOURCE
#include "slot.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PYTHON "/usr/bin/python3"
#define MOST_VARIABLES 64

static void write_text(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);

    if (fd < 0 || write(fd, text, strlen(text)) < 0)
        fail(SOCKET_FD, path);
    close(fd);
}

/* Root inside the namespaces would be kernel root without them: drop first, and never trust it. */
static void become_unprivileged(uid_t uid)
{
    if (geteuid() == 0) {
        if (setgroups(0, NULL) < 0 || setresgid(uid, uid, uid) < 0 || setresuid(uid, uid, uid) < 0)
            fail(SOCKET_FD, "dropping to the run's user id");
    }
    errno = EPERM;
    if (getuid() == 0 || geteuid() == 0 || getgid() == 0 || getegid() == 0)
        fail(SOCKET_FD, "a slot never runs as root");
    /* A process that changed its uid may not write its own uid_map otherwise. */
    if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        fail(SOCKET_FD, "prctl");
}

static void make_namespaces(void)
{
    unsigned int uid = getuid(), gid = getgid();
    char map[64];

    if (unshare(CLONE_NEWUSER) < 0)
        fail(SOCKET_FD, "unshare(CLONE_NEWUSER)");
    write_text("/proc/self/setgroups", "deny");
    snprintf(map, sizeof map, "%u %u 1", gid, gid);
    write_text("/proc/self/gid_map", map);
    snprintf(map, sizeof map, "%u %u 1", uid, uid);
    write_text("/proc/self/uid_map", map);
    if (unshare(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS |
                CLONE_NEWCGROUP) < 0)
        fail(SOCKET_FD, "unshare");
    if (sethostname("sandbox", 7) < 0)
        fail(SOCKET_FD, "sethostname");
}

/* Outside, nothing but a watch: over the runner, and over the server. */
static void watch(pid_t server)
{
    struct pollfd runner = {.fd = RUNNER_FD, .events = POLLIN};
    struct pollfd watched[2] = {runner, {.fd = -1, .events = POLLIN}};
    int status;

    watched[1].fd = (int)syscall(SYS_pidfd_open, server, 0);
    drop_capabilities();
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    close(SOCKET_FD); /* or the runner would not see that the server is gone */
    while (watched[1].fd >= 0 && watched[0].revents == 0 && watched[1].revents == 0)
        if (poll(watched, 2, -1) < 0 && errno != EINTR)
            break;
    kill(server, SIGKILL);
    waitpid(server, &status, 0);
    _exit(0);
}

static void run_programs(void)
{
    for (;;) {
        pid_t program;

        slot_accept();
        program = vfork(); /* init holds still until the program has its own memory */
        if (program != 0)
            slot_init(program);
        slot_enter();
        execve(slot_argument(0), slot_arguments(), slot_variables());
        _exit(errno == ENOENT ? 127 : 126); /* as shells say it */
    }
}

static void become_zygote(char *environment, char *modules)
{
    char library[32], source[32];
    char *arguments[] = {PYTHON, "-s", "-B", source, library, modules, NULL};
    char *variables[MOST_VARIABLES + 1];
    size_t count = 0;

    snprintf(library, sizeof library, "/proc/self/fd/%d", LIBRARY_FD);
    snprintf(source, sizeof source, "/proc/self/fd/%d", ZYGOTE_FD);
    for (; environment < modules && count < MOST_VARIABLES; environment += strlen(environment) + 1)
        variables[count++] = environment;
    variables[count] = NULL;
    execve(PYTHON, arguments, variables);
    fail(SOCKET_FD, PYTHON);
}

int main(int count, char **arguments)
{
    size_t bytes;
    char *config = map_file(CONFIG_FD, &bytes);
    struct settings settings;
    char *layout, *environment, *modules;
    pid_t server;

    for (; count > 0; --count) /* inits show it to their programs */
        memset(arguments[count - 1], 0, strlen(arguments[count - 1]));
    memcpy(&settings, config, sizeof settings);
    layout = config + sizeof settings + settings.filter_bytes;
    environment = layout + settings.layout_bytes;
    modules = environment + settings.environment_bytes;
    write_text("/proc/self/oom_score_adj", "1000");
    become_unprivileged(settings.uid);
    make_namespaces();
    server = fork();
    if (server < 0)
        fail(SOCKET_FD, "fork");
    if (server > 0)
        watch(server);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
        fail(SOCKET_FD, "prctl(PR_SET_PDEATHSIG)");
    close(RUNNER_FD);
    build_root(layout, environment);
    keep_only_mounting(settings.modules_bytes > 0);
    if (settings.modules_bytes > 0)
        become_zygote(environment, modules);
    run_programs();
}
