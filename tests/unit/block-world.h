/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A drive of SIZE bytes in a context of its own, for the tests of disk back
 * ends: the same cases by io_uring, by threads, in the main loop's context, on
 * files, on block devices and on files that are mapped memory.
 */
#ifndef TESTS_UNIT_BLOCK_WORLD_H
#define TESTS_UNIT_BLOCK_WORLD_H

#include "block/block.h"
#include "qapi/error.h"

typedef struct Way {
    const char *name;
    const char *opts;           /* for drive_add */
    bool uring, main_loop, direct, loop, memory;
} Way;

#define SIZE (1 * MiB)

typedef struct Fixture {
    const Way *way;
    AioContext *ctx;
    char *path;                 /* what is opened */
    char *backing;              /* of a loop device: its file */
    int loop_fd;
    int memory_fd;
    BlockBackend *blk;
} Fixture;

typedef struct TestRequest {
    BlockRequest req;
    struct iovec iov;
    int ret;
    bool done;
    unsigned left;              /* resubmit so often */
} TestRequest;

typedef void TestFn(Fixture *f, gconstpointer way);

/* Registers /block/WAY/@name for every way that this system has; some cases
 * are about files, not about devices, some about what the kernel refuses. */
void add_ways(const char *name, TestFn *fn);
void add_file_ways(const char *name, TestFn *fn);
void add_kernel_ways(const char *name, TestFn *fn);

/* A new file of zeroes; unlink() and g_free() are the caller's. */
char *make_file(uint64_t size);
/* A file of zeroes in memory, none of them a hole; the caller's. */
int make_memory(uint64_t size);

/* @arg: as -drive has it. */
BlockBackend *drive_add(const char *arg, Error **errp);
/* A raw drive in @path with more options, ",a=b" or "".  NULL: this system
 * cannot; the test is skipped. */
BlockBackend *open_drive(const char *path, const char *more);
/* The fixture's drive, in its context. */
bool open_with(Fixture *f, const char *more);

/* For BlockRequest.done: notes that and how the request ended. */
void on_done(BlockRequest *req, int ret);
void start_request(BlockBackend *blk, TestRequest *t);
/* Start and wait; return 0 or -errno. */
int run_request(BlockBackend *blk, TestRequest *t);
int do_io(BlockBackend *blk, BlockOp op, uint64_t offset, void *buf,
          uint64_t bytes, unsigned flags);
/* 50 writes and reads of the Fixture @opaque; may be a thread. */
void *run_reads(void *opaque);

void fill_bytes(uint8_t *p, size_t n, uint32_t seed);
bool is_zero(const uint8_t *p, size_t n);
/* What is in the fixture's file, past the back end. */
void file_bytes(Fixture *f, uint64_t offset, void *buf, size_t n);
/* On a page's boundary; free() it. */
void *aligned_buf(size_t n);

#endif
