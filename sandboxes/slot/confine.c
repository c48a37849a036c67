/* Privileges given up, mounts made, failures told. */
#define _GNU_SOURCE
#include "slot.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/mount.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

int mount(const char *, const char *, const char *, unsigned long, const void *);

#define CAPABILITY_WORDS 2

int failure_socket = SOCKET_FD;

void send_message(int socket, char kind, const void *body, size_t body_bytes, int passed_fd)
{
    struct iovec parts[2] = {{&kind, 1}, {(void *)body, body_bytes}};
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control;
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};

    if (passed_fd < 0) {
        while (writev(socket, parts, 2) < 0 && errno == EINTR) { /* the filter has no sendmsg */
        }
        return;
    }
    memset(&control, 0, sizeof control);
    message.msg_control = &control;
    message.msg_controllen = sizeof control;
    control.header.cmsg_level = SOL_SOCKET;
    control.header.cmsg_type = SCM_RIGHTS;
    control.header.cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(&control.header), &passed_fd, sizeof(int));
    while (sendmsg(socket, &message, MSG_NOSIGNAL) < 0 && errno == EINTR) {
    }
}

void fail(int socket, const char *what)
{
    char text[300];
    int length = snprintf(text, sizeof text, "%s: %s", what, strerror(errno));

    if (length >= (int)sizeof text)
        length = sizeof text - 1;
    send_message(socket, FAILED, text, (size_t)length, -1);
    _exit(1);
}

void *map_file(int fd, size_t *bytes)
{
    struct stat about;
    void *mapped;

    if (fstat(fd, &about) < 0)
        fail(failure_socket, "fstat of a memory file");
    *bytes = (size_t)about.st_size;
    mapped = mmap(NULL, *bytes, PROT_READ, MAP_PRIVATE, fd, 0);
    if (mapped == MAP_FAILED)
        fail(failure_socket, "mmap of a memory file");
    return mapped;
}

static void set_capabilities(uint32_t held, uint32_t inherited)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[CAPABILITY_WORDS] = {{held, held, inherited}, {0, 0, 0}};

    if (syscall(SYS_capset, &header, data) < 0)
        fail(failure_socket, "capset");
}

/* All that a server needs is to make namespaces and mounts, and only its own children inherit it:
 * the bounding set is empty, so that no program can ever gain a capability by being executed. */
void keep_only_mounting(int across_exec)
{
    uint32_t mounting = 1u << CAP_SYS_ADMIN;
    uint32_t inherited = across_exec ? mounting : 0;

    /* What can be inherited is bounded too, so it comes before the bounds. */
    set_capabilities(mounting | 1u << CAP_SETPCAP, inherited);
    if (across_exec && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_SYS_ADMIN, 0, 0) < 0)
        fail(failure_socket, "prctl(PR_CAP_AMBIENT_RAISE)");
    for (unsigned long capability = 0; capability < 64; ++capability)
        if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0 && errno != EINVAL)
            fail(failure_socket, "prctl(PR_CAPBSET_DROP)");
    set_capabilities(mounting, inherited);
}

void drop_capabilities(void)
{
    set_capabilities(0, 0); /* the ambient set follows */
}

void set_filter(const void *filter, size_t bytes)
{
    struct sock_fprog program = {
        .len = (unsigned short)(bytes / sizeof(struct sock_filter)),
        .filter = (struct sock_filter *)filter,
    };

    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0)
        fail(failure_socket, "seccomp");
}

void mount_at(const char *kind, const char *where, unsigned long flags, const char *options)
{
    char what[200];

    if (mount(kind, where, kind, flags, options) == 0)
        return;
    snprintf(what, sizeof what, "mount of %s on %s", kind, where);
    fail(failure_socket, what);
}

void make_read_only(const char *path, int recursive)
{
    struct mount_attr attributes = {
        .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID,
    };

    if (syscall(SYS_mount_setattr, AT_FDCWD, path, recursive ? AT_RECURSIVE : 0, &attributes,
                sizeof attributes) < 0)
        fail(failure_socket, "mount_setattr");
}
