/* One run after another: fork it into fresh namespaces, ahead of need, and see it dead.
 *
 * The server never holds a descriptor of a run, let alone reads one. What the runner sends goes to
 * the init of the run that it belongs to, whose memory and descriptors end with that run.
 */
#define _GNU_SOURCE
#include "slot.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* In the order in which the runner passes them; a batch run has no frames. */
enum { CONTROL, REQUEST, STDIN, STDOUT, STDERR, FRAMES_IN, FRAMES_OUT, MOST_FDS };
#define FIRST_KEPT_FD 64 /* passed descriptors are moved here, away from the program's numbers */

static const char *filter; /* mapped once, before the first run */
static size_t filter_bytes;
static int is_zygote;

static struct {
    int fds;
    struct request request;
    const char *mapped;
    size_t mapped_bytes;
    const char *strings;
    char **arguments, **variables, **names;
    int gate[2]; /* a zygote's program waits here until everything is mounted and init confined */
} run;

static int kept(int which)
{
    return FIRST_KEPT_FD + which;
}

static void load_filter(void)
{
    struct settings settings;
    size_t bytes;
    const char *config = map_file(CONFIG_FD, &bytes);

    memcpy(&settings, config, sizeof settings);
    filter = config + sizeof settings;
    filter_bytes = settings.filter_bytes;
    is_zygote = settings.modules_bytes > 0;
    close(CONFIG_FD);
}

/* How many descriptors came; -1 when the runner has hung up. */
static int receive(int socket, int *fds, int flags)
{
    char byte;
    struct iovec part = {&byte, 1};
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int) * MOST_FDS)];
    } control;
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    ssize_t got;
    size_t count;

    do {
        message.msg_control = &control;
        message.msg_controllen = sizeof control;
        got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC | flags);
    } while (got < 0 && errno == EINTR);
    if (got <= 0)
        return -1;
    if (message.msg_controllen < sizeof control.header)
        return 0;
    count = (control.header.cmsg_len - CMSG_LEN(0)) / sizeof(int);
    memcpy(fds, CMSG_DATA(&control.header), count * sizeof(int));
    return (int)count;
}

/* Wait for the run's end, or for the runner's, which ends everything. */
static void see_dead(pid_t init, int init_fd)
{
    struct pollfd watched[2] = {
        {.fd = init_fd, .events = POLLIN},
        {.fd = SOCKET_FD, .events = POLLIN | POLLHUP},
    };
    struct rusage usage;
    uint64_t cpu_us;
    int status;

    while (!watched[0].revents) {
        if (poll(watched, 2, -1) < 0 && errno != EINTR)
            _exit(1);
        if (!watched[0].revents && watched[1].revents)
            _exit(0);
    }
    while (wait4(init, &status, 0, &usage) < 0 && errno == EINTR) {
    }
    cpu_us = (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000u +
             (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
    send_message(SOCKET_FD, REAPED, &cpu_us, sizeof cpu_us, -1);
}

static void keep(int fd, int which)
{
    if (fcntl(fd, F_DUPFD_CLOEXEC, kept(which)) != kept(which))
        fail(fd, "a descriptor could not be moved");
    close(fd);
}

static void read_request(void);

/* In a new init: only what is its own, and wait until the runner has put it into its control
 * group, so that no memory is used before that should be charged to the run. */
static void begin(int control)
{
    int none[MOST_FDS];

    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || prctl(PR_SET_NAME, "init", 0, 0, 0) < 0)
        fail(control, "prctl");
    keep(control, CONTROL);
    failure_socket = kept(CONTROL);
    if (syscall(SYS_close_range, SOCKET_FD, FIRST_KEPT_FD - 1, 0) < 0 ||
        syscall(SYS_close_range, kept(REQUEST), ~0u, 0) < 0)
        fail(kept(CONTROL), "close_range");
    setsid();
    if (is_zygote && pipe2(run.gate, O_CLOEXEC) < 0)
        fail(kept(CONTROL), "pipe2");
    if (receive(kept(CONTROL), none, 0) < 0)
        _exit(0);
}

/* What the run needs, from the runner itself. A zygote's init and program, which are there both,
 * take it one after the other: init by looking, the program for good. */
static void take_request(int flags)
{
    int fds[MOST_FDS];
    int count = receive(kept(CONTROL), fds, flags);

    if (count <= 0)
        _exit(0); /* the runner has changed its mind */
    run.fds = REQUEST + count;
    for (int which = REQUEST; which < run.fds; ++which)
        keep(fds[which - REQUEST], which);
    read_request();
}

static char **string_list(char **list, uint32_t count)
{
    for (uint32_t number = 0; number < count; ++number) {
        list[number] = (char *)run.strings;
        run.strings += strlen(run.strings) + 1;
    }
    list[count] = NULL;
    return list + count + 1;
}

static void read_request(void)
{
    const struct request *request = &run.request;
    char **list;

    run.mapped = map_file(kept(REQUEST), &run.mapped_bytes);
    memcpy(&run.request, run.mapped, sizeof run.request);
    run.strings = run.mapped + sizeof run.request + request->limits * sizeof(struct limit) +
                  request->files * sizeof(uint64_t);
    list = malloc((request->arguments + request->variables + request->files + 3) * sizeof *list);
    if (list == NULL)
        fail(kept(CONTROL), "malloc");
    run.arguments = list;
    run.variables = string_list(run.arguments, request->arguments);
    run.names = string_list(run.variables, request->variables);
    string_list(run.names, request->files);
}

static void make_folder(const char *path)
{
    if (mkdir(path, 0755) < 0 && errno != EEXIST)
        fail(kept(CONTROL), path);
}

static void mount_scratch(void)
{
    char options[128];

    snprintf(options, sizeof options, "size=%llu,nr_inodes=%llu,mode=0700",
             (unsigned long long)run.request.scratch_bytes,
             (unsigned long long)run.request.scratch_inodes);
    mount_at("tmpfs", "/scratch", MS_NOSUID | MS_NODEV, options);
    make_folder(HOME_PATH);
    make_folder("/scratch/tmp");
    make_folder("/scratch/shm");
}

static void write_file(const char *path, const char *content, uint64_t bytes)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd < 0)
        fail(kept(CONTROL), path);
    while (bytes > 0) {
        ssize_t written = write(fd, content, bytes);
        if (written < 0 && errno != EINTR)
            fail(kept(CONTROL), path);
        if (written > 0) {
            content += written;
            bytes -= (uint64_t)written;
        }
    }
    if (fchmod(fd, run.request.file_mode) < 0)
        fail(kept(CONTROL), path);
    close(fd);
}

/* A name in the working directory, in folders that may have to be made, as a mount point. */
static void make_place(char *path)
{
    int fd;

    for (char *slash = strchr(path + strlen(HOME_PATH) + 1, '/'); slash != NULL;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        make_folder(path);
        *slash = '/';
    }
    fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        fail(kept(CONTROL), path);
    close(fd);
}

/* Each file is a read-only mount of its own, which its owner can neither change nor move away.
 * They lie in a tmpfs that is mounted only here, where /proc is going to be. */
static void lay_files(void)
{
    const uint32_t files = run.request.files;
    const char *sizes = run.mapped + sizeof run.request + run.request.limits * sizeof(struct limit);
    const char *content = run.mapped + run.mapped_bytes - run.request.file_bytes;
    char source[32], path[4096], options[128];

    snprintf(options, sizeof options, "size=%llu,nr_inodes=%u,mode=0755",
             (unsigned long long)run.request.file_bytes + (files + 1) * 4096ull, files + 2);
    mount_at("tmpfs", "/proc", MS_NOSUID | MS_NODEV, options);
    for (uint32_t number = 0; number < files; ++number) {
        uint64_t bytes;
        memcpy(&bytes, sizes + number * sizeof bytes, sizeof bytes);
        snprintf(source, sizeof source, "/proc/%u", number);
        write_file(source, content, bytes);
        content += bytes;
    }
    make_read_only("/proc", 0);
    for (uint32_t number = 0; number < files; ++number) {
        snprintf(source, sizeof source, "/proc/%u", number);
        if (snprintf(path, sizeof path, HOME_PATH "/%s", run.names[number]) >= (int)sizeof path) {
            errno = ENAMETOOLONG;
            fail(kept(CONTROL), "a file's name");
        }
        make_place(path);
        if (mount(source, path, NULL, MS_BIND, NULL) < 0)
            fail(kept(CONTROL), path);
    }
    if (umount2("/proc", MNT_DETACH) < 0)
        fail(kept(CONTROL), "umount of the files");
}

/* What tells how the host was started, and of its disks and devices, is empty. (arguments.py has
 * the same list.) A kernel may be built without one of them. */
static void cover_host(void)
{
    static const char *const told[] = {"/proc/cmdline", "/proc/diskstats", "/proc/interrupts",
                                       "/proc/partitions"};

    for (size_t number = 0; number < sizeof told / sizeof *told; ++number)
        if (mount("/dev/null", told[number], NULL, MS_BIND, NULL) < 0 && errno != ENOENT)
            fail(kept(CONTROL), told[number]);
}

/* Everything that needs privileges. */
static void prepare(void)
{
    int home;

    take_request(is_zygote ? MSG_PEEK : 0);
    mount_scratch();
    home = open(HOME_PATH, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (home < 0)
        fail(kept(CONTROL), HOME_PATH);
    send_message(kept(CONTROL), HOME, NULL, 0, home);
    close(home);
    if (run.request.files != 0)
        lay_files();
    mount_at("proc", "/proc", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY, NULL);
    cover_host();
    drop_capabilities();
    set_filter(filter, filter_bytes); /* a program that is executed inherits it */
}

/* Before the first run: what this server is made for cannot be done. */
void slot_refuse(const char *why)
{
    send_message(SOCKET_FD, FAILED, why, strlen(why), -1);
    _exit(1);
}

/* Serves until a run has been forked, and returns in its init only. A zygote's still has
 * privileges, until `slot_init`. */
int slot_accept(void)
{
    int fds[MOST_FDS];

    if (filter == NULL) {
        load_filter();
        send_message(SOCKET_FD, READY, NULL, 0, -1);
    }
    for (;;) {
        int init_fd = -1;
        long init;

        if (receive(SOCKET_FD, fds, 0) <= 0)
            _exit(0);
        /* No libc function takes these flags without a second stack; the first three arguments
         * stand in the same order everywhere. */
        init = syscall(SYS_clone,
                       CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_PIDFD | SIGCHLD, NULL,
                       &init_fd, NULL, NULL);
        if (init == 0) {
            begin(fds[CONTROL]);
            if (!is_zygote)
                prepare();
            return 0;
        }
        if (init < 0)
            fail(SOCKET_FD, "clone of a run");
        close(fds[CONTROL]);
        send_message(SOCKET_FD, STARTED, NULL, 0, init_fd);
        see_dead((pid_t)init, init_fd);
        close(init_fd);
    }
}

/* In init, once the program is forked: adopt orphans, and tell how the program ended. A zygote's
 * program was forked before anything was mounted: the copy of its memory is made ahead too. */
void slot_init(pid_t program)
{
    int status;

    if (program < 0)
        fail(kept(CONTROL), "fork of the program");
    if (is_zygote) {
        close(run.gate[0]);
        prepare();
    }
    syscall(SYS_close_range, kept(REQUEST), kept(run.fds) - 1, 0);
    munmap((void *)run.mapped, run.mapped_bytes);
    if (is_zygote)
        close(run.gate[1]); /* the program may go */
    for (;;) {
        pid_t ended = waitpid(-1, &status, 0);
        if (ended == program || (ended < 0 && errno != EINTR))
            break;
    }
    send_message(kept(CONTROL), ENDED, &status, sizeof status, -1);
    _exit(0);
}

static void set_limits(void)
{
    const char *limits = run.mapped + sizeof run.request;

    for (uint32_t number = 0; number < run.request.limits; ++number) {
        struct limit limit;
        struct rlimit bounds;

        memcpy(&limit, limits + number * sizeof limit, sizeof limit);
        bounds.rlim_cur = limit.soft;
        bounds.rlim_max = limit.hard;
        if (setrlimit((int)limit.resource, &bounds) < 0)
            fail(kept(CONTROL), "setrlimit");
    }
}

/* In a zygote's program, as soon as it is there. */
void slot_born(void)
{
    close(run.gate[1]);
    drop_capabilities();
}

/* In the program's process, before its first instruction: its descriptors, limits and filter. */
void slot_enter(void)
{
    char byte;

    if (is_zygote) {
        while (read(run.gate[0], &byte, 1) < 0 && errno == EINTR) {
        }
        take_request(0);
        if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) < 0) /* or it could not read its own /proc */
            fail(kept(CONTROL), "prctl(PR_SET_DUMPABLE)");
    }
    if (chdir(HOME_PATH) < 0)
        fail(kept(CONTROL), HOME_PATH);
    for (int which = STDIN; which < run.fds; ++which)
        if (dup2(kept(which), which - STDIN) < 0)
            fail(kept(CONTROL), "dup2");
    set_limits();
    if (is_zygote)
        set_filter(filter, filter_bytes);
    send_message(kept(CONTROL), BEGAN, NULL, 0, -1); /* from here on its end is its own */
    syscall(SYS_close_range, run.fds - STDIN, ~0u, 0);
}

const char *slot_argument(uint32_t number)
{
    return number < run.request.arguments ? run.arguments[number] : NULL;
}

char **slot_arguments(void)
{
    return run.arguments;
}

char **slot_variables(void)
{
    return run.variables;
}
