/* The root that all runs of a slot start from: what `layout` lists, read-only, and nothing else.
 *
 * The layout is a row of strings, each ended by a zero byte: an operation, then its arguments.
 *   d PATH           an empty folder
 *   b SOURCE PATH    a folder of the host, with what is mounted in it
 *   v SOURCE PATH    a device of the host
 *   l TARGET PATH    a symbolic link
 *   h PATH           an empty folder over one that should not be seen
 */
#define _GNU_SOURCE
#include "slot.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define HOST "/old" /* where the host's files are until the root is ready */

static const char *next(const char **at, const char *end)
{
    const char *text = *at;

    if (text >= end)
        fail(SOCKET_FD, "the layout ends early");
    *at += strlen(text) + 1;
    return text;
}

static void bind(const char *source, const char *path)
{
    char from[4096];

    snprintf(from, sizeof from, HOST "%s", source);
    if (mount(from, path, NULL, MS_BIND | MS_REC, NULL) < 0)
        fail(SOCKET_FD, source);
    make_read_only(path, 1);
}

static void lay(const char **at, const char *end)
{
    char operation = *next(at, end);
    const char *first = next(at, end);
    int fd;

    switch (operation) {
    case 'd':
        if (mkdir(first, 0755) < 0)
            fail(SOCKET_FD, first);
        break;
    case 'b':
        bind(first, next(at, end));
        break;
    case 'v':
        fd = open(*at, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        if (fd < 0)
            fail(SOCKET_FD, first);
        close(fd);
        bind(first, next(at, end));
        break;
    case 'l':
        if (symlink(first, next(at, end)) < 0)
            fail(SOCKET_FD, first);
        break;
    case 'h':
        mount_at("tmpfs", first, MS_NOSUID | MS_NODEV | MS_RDONLY, "size=4k,nr_inodes=1,mode=0555");
        break;
    default:
        fail(SOCKET_FD, "the layout has an unknown operation");
    }
}

void build_root(const char *layout, const char *end)
{
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        fail(SOCKET_FD, "mount(MS_PRIVATE)");
    mount_at("tmpfs", "/tmp", MS_NOSUID | MS_NODEV, "size=1m,nr_inodes=256,mode=0755");
    if (chdir("/tmp") < 0 || mkdir("old", 0700) < 0 || syscall(SYS_pivot_root, ".", "old") < 0 ||
        chdir("/") < 0)
        fail(SOCKET_FD, "pivot_root");
    while (layout < end)
        lay(&layout, end);
    /* Every run mounts its own over this one; the kernel lets it only where one is seen already. */
    mount_at("proc", "/proc", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY, NULL);
    if (umount2(HOST, MNT_DETACH) < 0 || rmdir(HOST) < 0)
        fail(SOCKET_FD, "umount of the host's root");
    make_read_only("/", 0);
}
