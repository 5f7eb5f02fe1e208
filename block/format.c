/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Image formats by their signatures.  Only raw images are opened in this
 * process: code that interprets a file which a stranger may have made stands
 * better in qemu-nbd, whose device or export is then a raw image.  So every
 * other format is recognised, named, and refused with what to do.
 */
#include "qemu/osdep.h"
#include "block/block-int.h"

typedef struct Signature {
    const char *format;
    bool at_end;                /* offset counts from the last 512 bytes */
    uint16_t offset;
    uint8_t len;
    const char *bytes;
} Signature;

#define SIG(f, off, s) { f, false, off, sizeof(s) - 1, s }
#define SIG_END(f, off, s) { f, true, off, sizeof(s) - 1, s }

static const Signature signatures[] = {
    SIG("qcow", 0, "QFI\xfb\0\0\0\1"),
    SIG("qcow2", 0, "QFI\xfb"),
    SIG("qed", 0, "QED\0"),
    SIG("vmdk", 0, "KDMV"),
    SIG("vmdk", 0, "COWD"),
    SIG("vmdk", 0, "# Disk DescriptorFile"),
    SIG("vdi", 0x40, "\x7f\x10\xda\xbe"),
    SIG("vhdx", 0, "vhdxfile"),
    SIG("luks", 0, "LUKS\xba\xbe"),
    SIG("vpc", 0, "conectix"),
    SIG_END("vpc", 0, "conectix"),
    SIG("parallels", 0, "WithoutFreeSpace"),
    SIG("parallels", 0, "WithouFreSpacExt"),
    SIG("bochs", 0, "Bochs Virtual HD Image"),
    SIG("cloop", 0, "#!/bin/sh\n#V2.0 Format\nmodprobe cloop"),
    SIG_END("dmg", 0, "koly"),
};

const char *const block_other_formats[] = {
    "bochs", "cloop", "dmg", "luks", "parallels", "qcow", "qcow2", "qed",
    "vdi", "vhdx", "vmdk", "vpc", "vvfat", NULL
};

const char *const block_other_protocols[] = {
    "blkdebug", "blklogwrites", "blkverify", "compress", "copy-on-read",
    "curl", "fat", "ftp", "ftps", "gluster", "host_cdrom", "http", "https",
    "io_uring", "iscsi", "nbd", "nfs", "null-aio", "nvme", "nvme-io_uring",
    "preallocate", "quorum", "rbd", "replication", "snapshot-access", "ssh",
    "throttle", "virtio-blk-vfio-pci", "virtio-blk-vhost-user",
    "virtio-blk-vhost-vdpa", NULL
};

const char *block_format_probe(const uint8_t *head, size_t head_len,
                               const uint8_t *tail, size_t tail_len)
{
    for (unsigned i = 0; i < ARRAY_SIZE(signatures); i++) {
        const Signature *s = &signatures[i];
        const uint8_t *at = s->at_end ? tail : head;
        size_t have = s->at_end ? tail_len : head_len;

        if (s->offset + s->len <= have &&
            !memcmp(at + s->offset, s->bytes, s->len)) {
            return s->format;
        }
    }
    return NULL;
}

bool block_format_probe_file(BlockFile *file, const char **format,
                             Error **errp)
{
    uint8_t head[BLOCK_PROBE_SIZE], tail[512];
    g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", file->fd);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = -1, m = -1;
    off_t end;

    /* Another description, since @file's may have O_DIRECT. */
    if (fd >= 0) {
        end = lseek(fd, 0, SEEK_END);
        n = RETRY_ON_EINTR(pread(fd, head, sizeof(head), 0));
        m = RETRY_ON_EINTR(pread(fd, tail, sizeof(tail),
                                 MAX(end - (off_t)sizeof(tail), 0)));
    }
    if (n < 0 || m < 0) {
        error_setg_errno(errp, errno, "Could not read image '%s' to learn its "
                         "format", file->filename);
        qemu_close(&fd);
        return false;
    }
    qemu_close(&fd);
    *format = block_format_probe(head, n, tail,
                                 m == sizeof(tail) ? m : 0);
    return true;
}

void block_format_refuse(Error **errp, const char *filename,
                         const char *format)
{
    g_autofree char *quoted = g_shell_quote(filename);

    error_setg(errp, "Image '%s' has the format '%s'; only raw images are "
               "opened here", filename, format);
    error_append_hint(errp, "Serve it as a raw device with 'qemu-nbd "
                      "-c /dev/nbd0 -f %s %s' and use /dev/nbd0,\nor convert "
                      "it with 'qemu-img convert -O raw %s NEW'.\n",
                      format, quoted, quoted);
}
