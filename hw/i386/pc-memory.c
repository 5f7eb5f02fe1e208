/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a PC's RAM lies: below 4 GiB, and what does not fit there above. */
#include "qemu/osdep.h"
#include "hw/i386/pc.h"

void pc_split_ram(bool q35, uint64_t ram_size, uint64_t *below_4g,
                  uint64_t *above_4g)
{
    /* RAM may go up to the first; what does not fit there is cut at the
     * second, so that 1 GiB pages of host and guest line up. */
    uint64_t most = q35 ? 0xb0000000 : 0xe0000000;
    uint64_t cut = q35 ? 0x80000000 : 0xc0000000;

    *below_4g = ram_size < most ? ram_size : cut;
    *above_4g = ram_size - *below_4g;
}

static ACPIWindow window(uint64_t first, uint64_t end)
{
    return (ACPIWindow) { first, first < end ? end - 1 : 0 };
}

void pc_pci_windows(ACPIConfig *cfg, uint64_t below_4g, uint64_t above_4g)
{
    uint64_t high = ROUND_UP(PC_4G + above_4g, GiB);

    cfg->pci64 = window(high, high + PC_PCI64_WINDOW);
    if (cfg->q35) {
        cfg->ecam_base = PC_ECAM_BASE;
        cfg->pci_low = window(below_4g, PC_ECAM_BASE);
        cfg->pci32 = window(PC_ECAM_BASE + PC_ECAM_SIZE, PC_PCI_WINDOW_END);
    } else {
        cfg->pci32 = window(below_4g, PC_PCI_WINDOW_END);
    }
}
