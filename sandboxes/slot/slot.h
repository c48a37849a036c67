/* What the launcher (main.c, root.c) and the runs (serve.c, confine.c) share.
 *
 *   slot            outside: drops to an unprivileged uid, makes the namespaces, watches its runner
 *   └ server        process 1 of the slot: C, or a Python with its libraries imported (a zygote)
 *     └ init        process 1 of one run, in fresh pid, mount and ipc namespaces
 *       └ program   the submission
 *
 * Descriptors of the slot and its server: 0 to 2 /dev/null, then these.
 */
#ifndef GAUNTLET_SLOT_H
#define GAUNTLET_SLOT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { SOCKET_FD = 3, CONFIG_FD, RUNNER_FD, LIBRARY_FD, ZYGOTE_FD };

/* The slot's settings, at the start of CONFIG_FD; then the filter, the layout of the root, a
 * zygote's environment and its modules, all as long as it says. Written by settings.py. */
struct settings {
    uint32_t uid;
    uint32_t filter_bytes;
    uint32_t layout_bytes;
    uint32_t environment_bytes;
    uint32_t modules_bytes; /* what a zygote imports, in words; 0 for a server in C */
};

/* One run's wishes, at the start of its request; then its resource limits, the lengths of its
 * files, its strings (arguments, environment, names of files) and its files. */
struct request {
    uint64_t scratch_bytes;
    uint64_t scratch_inodes;
    uint64_t file_bytes; /* all files together */
    uint32_t file_mode;
    uint32_t limits;
    uint32_t arguments;
    uint32_t variables;
    uint32_t files;
    uint64_t string_bytes;
};

struct limit {
    uint32_t resource;
    uint32_t unused;
    uint64_t soft, hard;
};

/* Kinds of messages, their first byte; the runner's answer to HOME or STARTED is one byte. */
enum {
    STARTED = 'P',
    REAPED = 'R',
    HOME = 'H',
    BEGAN = 'B',
    ENDED = 'S',
    FAILED = 'E',
    READY = 'Y',
};

#define HOME_PATH "/scratch/home"

/* Sends FAILED with what and why, and exits. */
void fail(int socket, const char *what) __attribute__((noreturn));
void send_message(int socket, char kind, const void *body, size_t body_bytes, int passed_fd);
void *map_file(int fd, size_t *bytes);

/* root.c: build and enter the read-only root that every run starts from. */
void build_root(const char *layout, const char *end);

/* confine.c */
void keep_only_mounting(int across_exec);
void drop_capabilities(void);
void set_filter(const void *filter, size_t bytes);
void mount_at(const char *kind, const char *where, unsigned long flags, const char *options);
void make_read_only(const char *path, int recursive);
extern int failure_socket; /* where the functions of confine.c and root.c complain */

/* serve.c; in a zygote they are called from Python. */
void slot_refuse(const char *why) __attribute__((noreturn));
int slot_accept(void);
void slot_born(void);
void slot_init(pid_t program) __attribute__((noreturn));
void slot_enter(void);
const char *slot_argument(uint32_t number);
char **slot_arguments(void);
char **slot_variables(void);

#endif
