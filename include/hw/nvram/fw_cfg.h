/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fw_cfg: how firmware and kernels read what the machine has for them
 * (Linux Documentation: qemu-fw-cfg; upstream's docs/specs/fw_cfg).  I/O
 * 0x510-0x51b on x86, with DMA.
 */
#ifndef HW_NVRAM_FW_CFG_H
#define HW_NVRAM_FW_CFG_H

#include <json-glib/json-glib.h>
#include "hw/qdev-core.h"
#include "system/memory.h"

#define FW_CFG_SIGNATURE 0x00
#define FW_CFG_ID 0x01
#define FW_CFG_UUID 0x02
#define FW_CFG_RAM_SIZE 0x03
#define FW_CFG_NOGRAPHIC 0x04
#define FW_CFG_NB_CPUS 0x05
#define FW_CFG_KERNEL_ADDR 0x07
#define FW_CFG_KERNEL_SIZE 0x08
#define FW_CFG_INITRD_ADDR 0x0a
#define FW_CFG_INITRD_SIZE 0x0b
#define FW_CFG_BOOT_DEVICE 0x0c
#define FW_CFG_NUMA 0x0d
#define FW_CFG_BOOT_MENU 0x0e
#define FW_CFG_MAX_CPUS 0x0f
#define FW_CFG_KERNEL_ENTRY 0x10
#define FW_CFG_KERNEL_DATA 0x11
#define FW_CFG_INITRD_DATA 0x12
#define FW_CFG_CMDLINE_ADDR 0x13
#define FW_CFG_CMDLINE_SIZE 0x14
#define FW_CFG_CMDLINE_DATA 0x15
#define FW_CFG_SETUP_ADDR 0x16
#define FW_CFG_SETUP_SIZE 0x17
#define FW_CFG_SETUP_DATA 0x18
#define FW_CFG_FILE_DIR 0x19
#define FW_CFG_FILE_FIRST 0x20
/* The architecture's own items: x86. */
#define FW_CFG_ARCH_LOCAL 0x8000
#define FW_CFG_IRQ0_OVERRIDE 0x8002

typedef struct FWCfgState FWCfgState;
#define TYPE_FW_CFG "fw_cfg"

/* On I/O ports 0x510.. of @io, DMA in @dma_as; one a machine. */
FWCfgState *fw_cfg_init_io_dma(MemoryRegion *io, AddressSpace *dma_as);
FWCfgState *fw_cfg_find(void);
/* Items by number.  The data stays the caller's for add_bytes; the others copy,
 * integers little-endian.  An item that was there is replaced. */
void fw_cfg_add_bytes(FWCfgState *s, uint16_t key, void *data, size_t len);
/* The same, and @data is to be freed with g_free() at the end. */
void fw_cfg_take_bytes(FWCfgState *s, uint16_t key, void *data, size_t len);
void fw_cfg_add_string(FWCfgState *s, uint16_t key, const char *value);
void fw_cfg_add_i16(FWCfgState *s, uint16_t key, uint16_t value);
void fw_cfg_add_i32(FWCfgState *s, uint16_t key, uint32_t value);
void fw_cfg_add_i64(FWCfgState *s, uint16_t key, uint64_t value);
/* A file in the directory (name at most 55 characters); data as above. */
void fw_cfg_add_file(FWCfgState *s, const char *name, void *data, size_t len);
/* The same, and @data is to be freed with g_free() at the end. */
void fw_cfg_take_file(FWCfgState *s, const char *name, void *data, size_t len);
/* The same for names from outside; false with @errp, @data left alone, if the
 * name is too long or taken or there is no room. */
bool fw_cfg_try_take_file(FWCfgState *s, const char *name, void *data,
                          size_t len, Error **errp);
/* -fw_cfg, once the machine has put its own files in. */
bool fw_cfg_option(FWCfgState *s, JsonObject *opts, Error **errp);
/* One that the guest may write. */
void fw_cfg_add_file_writable(FWCfgState *s, const char *name, void *data,
                              size_t len,
                              void (*written)(void *opaque), void *opaque);
/* Replaces a file's data (added if missing). */
void fw_cfg_modify_file(FWCfgState *s, const char *name, void *data,
                        size_t len);

#endif
