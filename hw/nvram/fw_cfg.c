/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fw_cfg (docs/specs/fw_cfg of QEMU, interface ID 3): items of data that the
 * guest selects by a 16-bit key and reads byte by byte or by DMA, and a
 * directory of those that have names.
 *
 * Items are read-only through the data port; DMA may write into those that
 * the machine made writable, within their size.
 */
#include "qemu/osdep.h"
#include "hw/nvram/fw_cfg.h"
#include "migration/vmstate.h"
#include "qemu/bswap.h"

#define FW_CFG_PORT 0x510
#define FW_CFG_DMA_PORT 0x514
#define FW_CFG_ID_VALUE 0x03            /* data port and DMA */
#define FW_CFG_FILE_SLOTS 0x40
#define FW_CFG_ITEMS (FW_CFG_FILE_FIRST + FW_CFG_FILE_SLOTS)
#define FW_CFG_ARCH_ITEMS 0x10
#define FW_CFG_NAME_SIZE 56
#define FW_CFG_KEY_MASK 0x3fff          /* bit 14: write channel, obsolete */
#define FW_CFG_INVALID 0xffff

static const char dma_signature[8] = "QEMU CFG";

enum {
    DMA_ERROR = 1 << 0,
    DMA_READ = 1 << 1,
    DMA_SKIP = 1 << 2,
    DMA_SELECT = 1 << 3,
    DMA_WRITE = 1 << 4,
};

/* In guest memory, big-endian. */
typedef struct FWCfgDmaAccess {
    uint32_t control;
    uint32_t length;
    uint64_t address;
} QEMU_PACKED FWCfgDmaAccess;

typedef struct FWCfgFile {
    uint32_t size;                      /* big-endian */
    uint16_t select;                    /* big-endian */
    uint16_t reserved;
    char name[FW_CFG_NAME_SIZE];
} QEMU_PACKED FWCfgFile;

typedef struct FWCfgDirectory {
    uint32_t count;                     /* big-endian */
    FWCfgFile files[FW_CFG_FILE_SLOTS]; /* sorted by name */
} QEMU_PACKED FWCfgDirectory;

typedef struct FWCfgItem {
    uint8_t *data;
    uint32_t len;
    bool owned;                         /* @data is to be freed */
    bool writable;
    void (*written)(void *opaque);
    void *opaque;
} FWCfgItem;

typedef struct FWCfgRegs {
    uint16_t key;
    uint32_t offset;                    /* in the selected item */
    uint64_t dma_addr;
} FWCfgRegs;

struct FWCfgState {
    DeviceState parent_obj;
    MemoryRegion io, dma_io;
    AddressSpace *dma_as;
    FWCfgItem items[2][FW_CFG_ITEMS];   /* generic; architecture's own */
    FWCfgDirectory directory;
    unsigned nr_files;
    FWCfgRegs regs;
};
DECLARE_INSTANCE_CHECKER(FWCfgState, FW_CFG, TYPE_FW_CFG)

static FWCfgState *the_fw_cfg;

static const VMStateDescription vmstate_fw_cfg_regs = {
    .name = "fw_cfg/regs",
    .fields = (const VMStateField[]) {
        VMSTATE_UINT16(key, FWCfgRegs),
        VMSTATE_UINT32(offset, FWCfgRegs),
        VMSTATE_UINT64(dma_addr, FWCfgRegs),
        VMSTATE_END_OF_LIST()
    },
};

static const VMStateDescription vmstate_fw_cfg = {
    .name = TYPE_FW_CFG,
    .version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_STRUCT(regs, FWCfgState, &vmstate_fw_cfg_regs),
        VMSTATE_END_OF_LIST()
    },
};

/* -- What the guest does ------------------------------------------------- */

static void fw_cfg_select(FWCfgState *s, uint16_t key)
{
    unsigned index = key & FW_CFG_KEY_MASK;
    unsigned limit = key & FW_CFG_ARCH_LOCAL ? FW_CFG_ARCH_ITEMS
                                             : FW_CFG_ITEMS;

    s->regs.key = index < limit ? key : FW_CFG_INVALID;
    s->regs.offset = 0;
}

/* NULL while nothing that could exist is selected. */
static FWCfgItem *fw_cfg_item(FWCfgState *s)
{
    uint16_t key = s->regs.key;

    if (key == FW_CFG_INVALID) {
        return NULL;
    }
    return &s->items[!!(key & FW_CFG_ARCH_LOCAL)][key & FW_CFG_KEY_MASK];
}

/* Bytes of the selected item from the offset on. */
static uint32_t fw_cfg_left(FWCfgState *s)
{
    FWCfgItem *item = fw_cfg_item(s);

    return item && s->regs.offset < item->len
        ? item->len - s->regs.offset : 0;
}

static uint64_t fw_cfg_read(void *opaque, hwaddr addr, unsigned size)
{
    FWCfgState *s = opaque;

    if (addr == 0 || !fw_cfg_left(s)) {
        return 0;
    }
    return fw_cfg_item(s)->data[s->regs.offset++];
}

static void fw_cfg_write(void *opaque, hwaddr addr, uint64_t val,
                         unsigned size)
{
    /* The data port is read-only since upstream's 2.4. */
    if (addr == 0 && size == 2) {
        fw_cfg_select(opaque, val);
    }
}

/* Past the end of an item there are zeros.  Ends at the first address that
 * takes no data, so that no length costs more than all of RAM. */
static bool fw_cfg_dma_read(FWCfgState *s, hwaddr addr, uint32_t len)
{
    static const uint8_t zeros[4096];
    bool ok = true;

    while (len && ok) {
        uint32_t left = fw_cfg_left(s);
        const uint8_t *from = left ? fw_cfg_item(s)->data + s->regs.offset
                                   : zeros;
        uint32_t n = MIN(len, left ?: sizeof(zeros));

        ok = address_space_write(s->dma_as, addr, MEMTXATTRS_UNSPECIFIED,
                                 from, n) == MEMTX_OK;
        s->regs.offset += MIN(n, left);
        addr += n;
        len -= n;
    }
    return ok;
}

static bool fw_cfg_dma_write(FWCfgState *s, hwaddr addr, uint32_t len)
{
    FWCfgItem *item = fw_cfg_item(s);
    bool ok = item && item->writable && len <= fw_cfg_left(s)
        && address_space_read(s->dma_as, addr, MEMTXATTRS_UNSPECIFIED,
                              item->data + s->regs.offset, len) == MEMTX_OK;

    if (ok) {
        s->regs.offset += len;
        if (item->written) {
            item->written(item->opaque);
        }
    }
    return ok;
}

static void fw_cfg_dma_transfer(FWCfgState *s)
{
    hwaddr at = s->regs.dma_addr;
    FWCfgDmaAccess dma;
    uint32_t control, len, answer;
    bool ok = true;

    s->regs.dma_addr = 0;
    if (address_space_read(s->dma_as, at, MEMTXATTRS_UNSPECIFIED, &dma,
                           sizeof(dma))) {
        answer = cpu_to_be32(DMA_ERROR);
        address_space_write(s->dma_as, at, MEMTXATTRS_UNSPECIFIED, &answer,
                            sizeof(answer));
        return;
    }
    control = be32_to_cpu(dma.control);
    len = be32_to_cpu(dma.length);
    if (control & DMA_SELECT) {
        fw_cfg_select(s, control >> 16);
    }
    if (control & DMA_READ) {
        ok = fw_cfg_dma_read(s, be64_to_cpu(dma.address), len);
    } else if (control & DMA_WRITE) {
        ok = fw_cfg_dma_write(s, be64_to_cpu(dma.address), len);
    } else if (control & DMA_SKIP) {
        s->regs.offset += MIN(len, fw_cfg_left(s));
    }
    answer = cpu_to_be32(ok ? 0 : DMA_ERROR);
    address_space_write(s->dma_as, at + offsetof(FWCfgDmaAccess, control),
                        MEMTXATTRS_UNSPECIFIED, &answer, sizeof(answer));
}

static uint64_t fw_cfg_dma_io_read(void *opaque, hwaddr addr, unsigned size)
{
    return ldn_le_p(dma_signature + addr, size);
}

/* The address is big-endian: its low half, second, starts the transfer. */
static void fw_cfg_dma_io_write(void *opaque, hwaddr addr, uint64_t val,
                                unsigned size)
{
    FWCfgState *s = opaque;

    if (size == 8) {
        s->regs.dma_addr = be64_to_cpu(val);
        fw_cfg_dma_transfer(s);
    } else if (addr == 0) {
        s->regs.dma_addr = (uint64_t)be32_to_cpu(val) << 32;
    } else {
        s->regs.dma_addr |= be32_to_cpu(val);
        fw_cfg_dma_transfer(s);
    }
}

static const MemoryRegionOps fw_cfg_ops = {
    .read = fw_cfg_read,
    .write = fw_cfg_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 1, .max_access_size = 2 },
    .impl = { .min_access_size = 1, .max_access_size = 2 },
};

static const MemoryRegionOps fw_cfg_dma_ops = {
    .read = fw_cfg_dma_io_read,
    .write = fw_cfg_dma_io_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 4, .max_access_size = 8 },
    .impl = { .min_access_size = 4, .max_access_size = 8 },
};

/* -- What the machine puts in -------------------------------------------- */

static void fw_cfg_set_item(FWCfgState *s, uint16_t key, void *data,
                            size_t len, bool owned)
{
    bool arch = key & FW_CFG_ARCH_LOCAL;
    unsigned index = key & FW_CFG_KEY_MASK;
    FWCfgItem *item = &s->items[arch][index];

    assert(index < (arch ? FW_CFG_ARCH_ITEMS : FW_CFG_ITEMS));
    assert(len <= UINT32_MAX);
    if (item->owned) {
        g_free(item->data);
    }
    *item = (FWCfgItem) { .data = data, .len = len, .owned = owned };
}

void fw_cfg_add_bytes(FWCfgState *s, uint16_t key, void *data, size_t len)
{
    fw_cfg_set_item(s, key, data, len, false);
}

void fw_cfg_take_bytes(FWCfgState *s, uint16_t key, void *data, size_t len)
{
    fw_cfg_set_item(s, key, data, len, true);
}

void fw_cfg_add_string(FWCfgState *s, uint16_t key, const char *value)
{
    fw_cfg_set_item(s, key, g_strdup(value), strlen(value) + 1, true);
}

static void fw_cfg_add_int(FWCfgState *s, uint16_t key, uint64_t value,
                           unsigned size)
{
    uint8_t *data = g_malloc(size);

    stn_le_p(data, size, value);
    fw_cfg_set_item(s, key, data, size, true);
}

void fw_cfg_add_i16(FWCfgState *s, uint16_t key, uint16_t value)
{
    fw_cfg_add_int(s, key, value, 2);
}

void fw_cfg_add_i32(FWCfgState *s, uint16_t key, uint32_t value)
{
    fw_cfg_add_int(s, key, value, 4);
}

void fw_cfg_add_i64(FWCfgState *s, uint16_t key, uint64_t value)
{
    fw_cfg_add_int(s, key, value, 8);
}

static FWCfgFile *fw_cfg_find_file(FWCfgState *s, const char *name)
{
    for (unsigned i = 0; i < s->nr_files; i++) {
        if (!strcmp(s->directory.files[i].name, name)) {
            return &s->directory.files[i];
        }
    }
    return NULL;
}

static FWCfgFile *fw_cfg_new_file(FWCfgState *s, const char *name)
{
    FWCfgFile *files = s->directory.files;
    unsigned i = s->nr_files;

    assert(s->nr_files < FW_CFG_FILE_SLOTS && strlen(name) < FW_CFG_NAME_SIZE);
    for (; i > 0 && strcmp(files[i - 1].name, name) > 0; i--) {
        files[i] = files[i - 1];
    }
    files[i] = (FWCfgFile) {
        .select = cpu_to_be16(FW_CFG_FILE_FIRST + s->nr_files),
    };
    g_strlcpy(files[i].name, name, sizeof(files[i].name));
    s->directory.count = cpu_to_be32(++s->nr_files);
    return &files[i];
}

static void fw_cfg_set_file(FWCfgState *s, const char *name, void *data,
                            size_t len, bool owned)
{
    FWCfgFile *file = fw_cfg_find_file(s, name) ?: fw_cfg_new_file(s, name);

    file->size = cpu_to_be32(len);
    fw_cfg_set_item(s, be16_to_cpu(file->select), data, len, owned);
}

void fw_cfg_modify_file(FWCfgState *s, const char *name, void *data,
                        size_t len)
{
    fw_cfg_set_file(s, name, data, len, false);
}

void fw_cfg_take_file(FWCfgState *s, const char *name, void *data, size_t len)
{
    fw_cfg_set_file(s, name, data, len, true);
}

bool fw_cfg_try_take_file(FWCfgState *s, const char *name, void *data,
                          size_t len, Error **errp)
{
    if (strlen(name) >= FW_CFG_NAME_SIZE) {
        error_setg(errp, "fw_cfg file '%s': its name has more than %d "
                   "characters", name, FW_CFG_NAME_SIZE - 1);
    } else if (fw_cfg_find_file(s, name)) {
        error_setg(errp, "fw_cfg file '%s': there is one already", name);
    } else if (s->nr_files == FW_CFG_FILE_SLOTS) {
        error_setg(errp, "fw_cfg file '%s': there are %d already, which is "
                   "all there is room for", name, FW_CFG_FILE_SLOTS);
    } else {
        fw_cfg_take_file(s, name, data, len);
        return true;
    }
    return false;
}

void fw_cfg_add_file(FWCfgState *s, const char *name, void *data, size_t len)
{
    assert(!fw_cfg_find_file(s, name));
    fw_cfg_modify_file(s, name, data, len);
}

void fw_cfg_add_file_writable(FWCfgState *s, const char *name, void *data,
                              size_t len, void (*written)(void *opaque),
                              void *opaque)
{
    FWCfgItem *item;

    fw_cfg_add_file(s, name, data, len);
    item = &s->items[0][be16_to_cpu(fw_cfg_find_file(s, name)->select)];
    item->writable = true;
    item->written = written;
    item->opaque = opaque;
}

FWCfgState *fw_cfg_find(void)
{
    return the_fw_cfg;
}

/* -- Device -------------------------------------------------------------- */

static void fw_cfg_reset(DeviceState *dev)
{
    FWCfgState *s = FW_CFG(dev);

    s->regs = (FWCfgRegs) { .key = FW_CFG_SIGNATURE };
}

FWCfgState *fw_cfg_init_io_dma(MemoryRegion *io, AddressSpace *dma_as)
{
    FWCfgState *s = FW_CFG(qdev_new(TYPE_FW_CFG));

    s->dma_as = dma_as;
    memory_region_init_io(&s->io, OBJECT(s), &fw_cfg_ops, s, "fwcfg", 2);
    memory_region_init_io(&s->dma_io, OBJECT(s), &fw_cfg_dma_ops, s,
                          "fwcfg.dma", sizeof(dma_signature));
    memory_region_add_subregion(io, FW_CFG_PORT, &s->io);
    memory_region_add_subregion(io, FW_CFG_DMA_PORT, &s->dma_io);
    fw_cfg_add_bytes(s, FW_CFG_SIGNATURE, (char *)"QEMU", 4);
    fw_cfg_add_i32(s, FW_CFG_ID, FW_CFG_ID_VALUE);
    fw_cfg_add_bytes(s, FW_CFG_FILE_DIR, &s->directory, sizeof(s->directory));
    the_fw_cfg = s;
    qdev_realize_and_unref(&s->parent_obj, sysbus_get_default(), &error_abort);
    return s;
}

static void fw_cfg_finalize(Object *obj)
{
    FWCfgState *s = FW_CFG(obj);

    for (unsigned i = 0; i < ARRAY_SIZE(s->items); i++) {
        for (unsigned j = 0; j < FW_CFG_ITEMS; j++) {
            if (s->items[i][j].owned) {
                g_free(s->items[i][j].data);
            }
        }
    }
    memory_region_finalize(&s->io);
    memory_region_finalize(&s->dma_io);
    if (the_fw_cfg == s) {
        the_fw_cfg = NULL;
    }
}

static void fw_cfg_class_init(ObjectClass *klass, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->user_creatable = false;
    dc->reset = fw_cfg_reset;
    dc->vmsd = &vmstate_fw_cfg;
}

static const TypeInfo fw_cfg_types[] = {
    {
        .name = TYPE_FW_CFG,
        .parent = TYPE_DEVICE,
        .instance_size = sizeof(FWCfgState),
        .instance_finalize = fw_cfg_finalize,
        .class_init = fw_cfg_class_init,
    },
};
DEFINE_TYPES(fw_cfg_types)
