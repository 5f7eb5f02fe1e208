/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shadow RAM of the host bridges (Intel 290549 "82441FX", 3.2.18 and 3.2.25;
 * Intel 316966 "3 Series", 5.1.14 to 5.1.21).
 *
 * A segment that is writable but not readable, for firmware that copies itself
 * in place, shows the PCI space and takes writes into RAM.  Limit: there is no
 * system management mode, so SMRAM is seen only while it is open.
 */
#include "qemu/osdep.h"
#include "hw/pci-host/pam.h"

/* Above RAM, which lies at priority 0, and the PCI space below that. */
#define PAM_PRIORITY 1

/* -- Where nothing is ---------------------------------------------------- */

static MemTxResult nothing_read(void *opaque, hwaddr addr, uint64_t *data,
                                unsigned size, MemTxAttrs attrs)
{
    *data = UINT64_MAX;
    return MEMTX_DECODE_ERROR;
}

static MemTxResult nothing_write(void *opaque, hwaddr addr, uint64_t data,
                                 unsigned size, MemTxAttrs attrs)
{
    return MEMTX_DECODE_ERROR;
}

static const MemoryRegionOps nothing_ops = {
    .read_with_attrs = nothing_read,
    .write_with_attrs = nothing_write,
    .valid = { .min_access_size = 1, .max_access_size = 8, .unaligned = true },
    .impl = { .min_access_size = 1, .max_access_size = 8, .unaligned = true },
};

/* A window to the PCI space behind which RAM does not show. */
static void window_init(MemoryRegion *window, MemoryRegion *pci, Object *owner,
                        const ChipsetMemory *mem, const char *name,
                        hwaddr start, uint64_t size)
{
    memory_region_init_io(window, owner, &nothing_ops, NULL, name, size);
    memory_region_init_alias(pci, owner, "pam-pci", mem->pci, start, size);
    memory_region_add_subregion(window, 0, pci);
    memory_region_add_subregion_overlap(mem->system, start, window,
                                        PAM_PRIORITY);
}

/* -- Segments ------------------------------------------------------------ */

static hwaddr segment_start(int i)
{
    return i == 0 ? 0xf0000 : 0xc0000 + (i - 1) * 0x4000;
}

static uint64_t segment_size(int i)
{
    return i == 0 ? 0x10000 : 0x4000;
}

/* Register 0 has segment 0 in its high half; from register 1 on, two each. */
static uint8_t segment_bits(const uint8_t *pam, int i)
{
    return i % 2 ? pam[(i + 1) / 2] & 0xf : pam[i / 2] >> 4;
}

void pam_init(PAMState *s, Object *owner, const ChipsetMemory *mem)
{
    int i;

    s->guest_ram = mem->ram;
    memory_region_transaction_begin();
    for (i = 0; i < PAM_SEGMENTS; i++) {
        hwaddr start = segment_start(i);

        memory_region_init_alias(&s->ram[i], owner, "pam-ram", mem->ram, start,
                                 segment_size(i));
        memory_region_set_enabled(&s->ram[i], false);
        memory_region_add_subregion_overlap(mem->system, start, &s->ram[i],
                                            PAM_PRIORITY);
        window_init(&s->shown[i], &s->pci[i], owner, mem, "pam-shown", start,
                    segment_size(i));
    }
    window_init(&s->video, &s->video_pci, owner, mem, "smram-video", 0xa0000,
                0x20000);
    memory_region_transaction_commit();
}

void pam_update(PAMState *s, const uint8_t *pam, uint8_t smram)
{
    int i;

    memory_region_transaction_begin();
    for (i = 0; i < PAM_SEGMENTS; i++) {
        uint8_t bits = segment_bits(pam, i);
        hwaddr start = segment_start(i);
        bool to_ram = bits & PAM_WRITE && start + segment_size(i)
                      <= memory_region_size(s->guest_ram);

        memory_region_set_enabled(&s->ram[i], bits & PAM_READ);
        memory_region_set_readonly(&s->ram[i], !(bits & PAM_WRITE));
        memory_region_set_enabled(&s->shown[i], !(bits & PAM_READ));
        memory_region_set_write_to(&s->shown[i],
                                   to_ram ? s->guest_ram : NULL,
                                   to_ram ? start : 0);
    }
    memory_region_set_enabled(&s->video, !(smram & SMRAM_G_SMRAME) ||
                                         !(smram & SMRAM_D_OPEN));
    memory_region_transaction_commit();
}

void pam_finalize(PAMState *s)
{
    int i;

    for (i = 0; i < PAM_SEGMENTS; i++) {
        memory_region_finalize(&s->ram[i]);
        memory_region_finalize(&s->pci[i]);
        memory_region_finalize(&s->shown[i]);
    }
    memory_region_finalize(&s->video_pci);
    memory_region_finalize(&s->video);
}

void pam_open_all(PCIDevice *bridge, int pam0)
{
    for (int i = 0; i < PAM_REGISTERS; i++) {
        pci_host_config_write_common(bridge, pam0 + i,
                                     (PAM_READ | PAM_WRITE) * 0x11, 1);
    }
}

void pam_init_wmask(uint8_t *pam_wmask, uint8_t *smram_wmask)
{
    pam_wmask[0] = (PAM_READ | PAM_WRITE) << 4;
    memset(pam_wmask + 1, (PAM_READ | PAM_WRITE) * 0x11, PAM_REGISTERS - 1);
    *smram_wmask = SMRAM_G_SMRAME | SMRAM_D_LCK | SMRAM_D_CLS | SMRAM_D_OPEN;
}

uint8_t smram_written(uint8_t old, uint8_t val)
{
    if (old & SMRAM_D_LCK) {
        /* Only D_CLS is left to software. */
        return (old & ~SMRAM_D_CLS) | (val & SMRAM_D_CLS);
    }
    return val & SMRAM_D_LCK ? val & ~SMRAM_D_OPEN : val;
}
