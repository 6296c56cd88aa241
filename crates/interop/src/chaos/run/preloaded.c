/* Preloaded into a caller's process: shifts the time of day, and holds the lookup of names. The file that
 * CHAOS_PRELOADED names says by how much, and whether; other programs change it at any time. The monotonic
 * clock stays true. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

_Static_assert(sizeof(time_t) == 8, "the system call has the same struct timespec");

/* The order and the sizes are those of `Preloaded` in preload.rs. */
struct shared {
    volatile int64_t seconds;
    volatile int64_t holds;
    volatile int64_t held;
};

static struct shared *shared;

__attribute__((constructor)) static void map(void) {
    const char *path = getenv("CHAOS_PRELOADED");
    int file = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    void *memory = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (memory == MAP_FAILED) {
        perror("CHAOS_PRELOADED");
        _exit(1);
    }
    close(file);
    shared = memory;
}

int clock_gettime(clockid_t id, struct timespec *now) {
    if (syscall(SYS_clock_gettime, id, now) != 0)
        return -1;
    if (shared && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE))
        now->tv_sec += shared->seconds;
    return 0;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    struct timespec precise;
    (void)zone;
    if (clock_gettime(CLOCK_REALTIME, &precise) != 0)
        return -1;
    now->tv_sec = precise.tv_sec;
    now->tv_usec = precise.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *result) {
    struct timespec precise;
    if (clock_gettime(CLOCK_REALTIME, &precise) != 0)
        return -1;
    if (result)
        *result = precise.tv_sec;
    return precise.tv_sec;
}

int getaddrinfo(const char *restrict node, const char *restrict service,
                const struct addrinfo *restrict hints, struct addrinfo **restrict result) {
    static int (*system_lookup)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
    if (!system_lookup)
        *(void **)&system_lookup = dlsym(RTLD_NEXT, "getaddrinfo");
    while (shared && shared->holds) {
        shared->held = 1;
        usleep(1000);
    }
    return system_lookup(node, service, hints, result);
}
