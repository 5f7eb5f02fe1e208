/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "edu.h"

unsigned edu_find(Edu edus[EDU_MAX])
{
    unsigned count = 0;

    for (unsigned slot = 0; slot < 32 && count < EDU_MAX; slot++) {
        unsigned devfn = DEVFN(slot, 0);
        Edu *edu = &edus[count];

        if (pci_read(devfn, PCI_VENDOR_ID, 4) != 0x11e81234) {
            continue;
        }
        edu->slot = slot;
        edu->bar = EDU_BARS + count * EDU_BAR_SIZE;
        count++;
        pci_write(devfn, PCI_COMMAND, 2, 0);
        pci_write(devfn, PCI_BASE_ADDRESS_0, 4, edu->bar);
        pci_write(devfn, PCI_COMMAND, 2,
                  PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    }
    return count;
}
