/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between libFuzzer (or replay.c) and a target.  Besides what sanitizers find,
 * an input fails that leaves a descriptor open.
 */
#include "qemu/osdep.h"
#include <sys/mman.h>
#include "fuzz.h"
#include "qemu/aio.h"
#include "qemu/error-report.h"
#include "qemu/timer.h"
#include "system/system.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

uint64_t fuzz_get(FuzzInput *in, unsigned len)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < len && in->p < in->end; i++) {
        value |= (uint64_t)*in->p++ << (8 * i);
    }
    return value;
}

const uint8_t *fuzz_bytes(FuzzInput *in, unsigned max, unsigned *len)
{
    const uint8_t *p = in->p;

    *len = MIN(max, (size_t)(in->end - in->p));
    in->p += *len;
    return p;
}

static void swallow(void *opaque, const char *line)
{
}

void fuzz_start_emulator(const char *args)
{
    static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
    /* The fuzzer in the same process reads and writes files. */
    g_autofree char *line = g_strdup_printf("fuzz -sandbox off %s", args);
    char **argv = g_strsplit(line, " ", -1);    /* options keep parts of it */

    if (!qemu_init(g_strv_length(argv), argv)) {
        exit(1);
    }
    for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
        signal(signals[i], SIG_DFL);
    }
    g_strfreev(argv);
    qemu_clock_virtual_manual();
}

void fuzz_settle(AioContext *ctx, int rounds)
{
    while (rounds-- && aio_poll(ctx, false)) {
    }
}

int fuzz_memfd(uint64_t size)
{
    int fd = memfd_create("fuzz", MFD_CLOEXEC);

    if (fd < 0 || ftruncate(fd, size) < 0) {
        fuzz_fail("no memory file: %s", strerror(errno));
    }
    return fd;
}

void fuzz_fail(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    fputs("fuzz: ", stderr);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
    va_end(ap);
    abort();
}

/* The number that the next descriptor to be opened gets. */
static int lowest_free_fd(void)
{
    int fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);

    if (fd < 0) {
        fuzz_fail("no descriptor left: %s", strerror(errno));
    }
    close(fd);
    return fd;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    if (fcntl(STDIN_FILENO, F_GETFD) < 0 && open("/dev/null", O_RDONLY)) {
        fuzz_fail("no standard input");
    }
    fuzz_init();
    if (!getenv("FUZZ_VERBOSE")) {
        error_set_sink(swallow, NULL);
    }
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static unsigned inputs;
    FuzzInput in = { data, data + size };
    int before = lowest_free_fd(), after;

    fuzz_one(&in);
    after = lowest_free_fd();
    /* What is made once, for the first who needs it, stays. */
    if (after != before && ++inputs > 8) {
        g_autofree char *link = g_strdup_printf("/proc/self/fd/%d",
                                                MIN(before, after));
        g_autofree char *what = g_file_read_link(link, NULL);

        fuzz_fail("%s is %s", what ?: link, after > before ? "left open"
                                                           : "closed");
    }
    return 0;
}
