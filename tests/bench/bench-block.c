/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How many 4 KiB reads at random offsets a disk back end does in a second:
 *
 *     bench-block [-f FILE] [-d DEPTH] [-t SECONDS] [-o OPTION,...]
 *
 * FILE is used as it is; without it, 256 MiB are made in /dev/shm.  OPTIONs
 * are added to those of -drive (aio=threads, cache=none, ...).  Without -d,
 * depths 1 and 32 are measured.  To be compared with
 *
 *     fio --name=r --filename=FILE --size=256M --rw=randread --bs=4k \
 *         --ioengine=io_uring --registerfiles=1 --iodepth=DEPTH
 */
#include "qemu/osdep.h"
#include "block/block.h"
#include "qapi/error.h"
#include "qemu/option.h"
#include "qemu/timer.h"

#define BLOCK 4096
#define SIZE (256 * MiB)
#define MAX_DEPTH 512

typedef struct Slot {
    BlockRequest req;
    struct iovec iov;
} Slot;

static uint64_t random_state = 88172645463325252, blocks, done_count;
static int64_t stop_ns;
static bool stopping;

static uint64_t random_offset(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state % blocks * BLOCK;
}

static void next(BlockRequest *req, int ret)
{
    if (ret < 0) {
        g_error("read: %s", g_strerror(-ret));
    }
    if (++done_count % 64 == 0 &&
        qemu_clock_get_ns(QEMU_CLOCK_REALTIME) >= stop_ns) {
        stopping = true;
    }
    if (!stopping) {
        req->offset = random_offset();
        blk_submit(req->blk, req);
    }
}

static void measure(BlockBackend *blk, unsigned depth, double seconds)
{
    int64_t start = qemu_clock_get_ns(QEMU_CLOCK_REALTIME), ns;
    g_autofree Slot *slots = g_new0(Slot, depth);
    char *buf = g_aligned_alloc(depth, BLOCK, BLOCK);

    done_count = 0;
    stopping = false;
    stop_ns = start + seconds * NANOSECONDS_PER_SECOND;
    for (unsigned i = 0; i < depth; i++) {
        slots[i].iov = (struct iovec) { buf + i * BLOCK, BLOCK };
        slots[i].req = (BlockRequest) {
            .op = BLK_READ, .offset = random_offset(), .bytes = BLOCK,
            .iov = &slots[i].iov, .niov = 1, .done = next,
        };
        blk_submit(blk, &slots[i].req);
    }
    blk_drain(blk);
    ns = qemu_clock_get_ns(QEMU_CLOCK_REALTIME) - start;
    printf("depth %3u: %8.0f reads/s, %7.0f ns each\n", depth,
           done_count * 1e9 / ns, (double)ns / done_count);
    g_aligned_free(buf);
}

static char *make_file(void)
{
    char *path = g_strdup("/dev/shm/bench-block-XXXXXX");
    g_autofree char *data = g_malloc(MiB);
    int fd = mkstemp(path);

    if (fd < 0) {
        g_error("%s: %s", path, g_strerror(errno));
    }
    memset(data, 0x5a, MiB);
    for (unsigned i = 0; i < SIZE / MiB; i++) {
        if (write(fd, data, MiB) != MiB) {
            g_error("%s: %s", path, g_strerror(errno));
        }
    }
    close(fd);
    return path;
}

int main(int argc, char **argv)
{
    int depth = 0;
    double seconds = 2;
    char *file = NULL, *options = NULL;
    GOptionEntry entries[] = {
        { "file", 'f', 0, G_OPTION_ARG_FILENAME, &file, "image", "FILE" },
        { "depth", 'd', 0, G_OPTION_ARG_INT, &depth, "in flight", "N" },
        { "time", 't', 0, G_OPTION_ARG_DOUBLE, &seconds, "how long", "S" },
        { "options", 'o', 0, G_OPTION_ARG_STRING, &options, "of -drive",
          "OPTS" },
        { }
    };
    g_autoptr(GOptionContext) gctx = g_option_context_new(NULL);
    g_autoptr(JsonObject) opts = NULL;
    g_autoptr(GError) gerr = NULL;
    g_autofree char *text = NULL;
    AioContext *ctx = aio_context_new(&error_fatal);
    char *made = NULL;
    BlockBackend *blk;

    g_option_context_add_main_entries(gctx, entries, NULL);
    if (!g_option_context_parse(gctx, &argc, &argv, &gerr) || argc > 1 ||
        depth < 0 || depth > MAX_DEPTH) {
        g_printerr("bench-block: %s\n", gerr ? gerr->message
                                             : "see bench-block --help");
        return 1;
    }
    if (!file) {
        file = made = make_file();
    }
    text = g_strdup_printf("if=none,id=bench,format=raw,readonly=on,file=%s"
                           "%s%s", file, options ? "," : "",
                           options ? options : "");
    opts = keyval_parse_flat(text, NULL, NULL, &error_fatal);
    blk = drive_new(opts, &error_fatal);
    if (made) {
        unlink(made);
    }
    aio_context_set_poll_params(ctx, 50 * SCALE_US);
    blk_set_context(blk, ctx, &error_fatal);
    blocks = blk_getlength(blk) / BLOCK;
    if (!blocks) {
        g_error("%s is shorter than a block", file);
    }
    measure(blk, depth ? depth : 1, seconds);
    if (!depth) {
        measure(blk, 32, seconds);
    }
    blk_close_all();
    aio_context_free(ctx);
    g_free(file);
    g_free(options);
    return 0;
}
