/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The PCI Express capability of endpoints.
 * PCI Express Base 3.0, 7.8; 1.3.2.3 for endpoints integrated in the root
 * complex, which have no link.
 */
#include "qemu/osdep.h"
#include "hw/pci/pcie.h"

#define PCIE_CAP_VERSION 2
#define PCIE_CAP_SIZE 0x3c

#define PCIE_DEVCTL_ERRORS                                              \
    (PCI_EXP_DEVCTL_CERE | PCI_EXP_DEVCTL_NFERE | PCI_EXP_DEVCTL_FERE | \
     PCI_EXP_DEVCTL_URRE)
#define PCIE_DEVSTA_ERRORS                                              \
    (PCI_EXP_DEVSTA_CED | PCI_EXP_DEVSTA_NFED | PCI_EXP_DEVSTA_FED |    \
     PCI_EXP_DEVSTA_URD)

static void init_link(PCIDevice *dev, int at)
{
    uint8_t *cap = dev->config + at;

    pci_set_long(cap + PCI_EXP_LNKCAP,
                 PCI_EXP_LNKCAP_SLS_2_5GB | 1 << 4 /* x1 */);
    pci_set_word(cap + PCI_EXP_LNKSTA,
                 PCI_EXP_LNKSTA_CLS_2_5GB | PCI_EXP_LNKSTA_NLW_X1);
    pci_set_word(dev->wmask + at + PCI_EXP_LNKCTL,
                 PCI_EXP_LNKCTL_ASPMC | PCI_EXP_LNKCTL_RCB |
                 PCI_EXP_LNKCTL_CCC | PCI_EXP_LNKCTL_ES);
}

int pcie_endpoint_cap_init(PCIDevice *dev, uint8_t offset)
{
    PCIBus *bus = pci_get_bus(dev);
    bool integrated = pci_bus_is_root(bus);
    int type = integrated ? PCI_EXP_TYPE_RC_END : PCI_EXP_TYPE_ENDPOINT;
    int at;

    if (!pci_bus_is_express(bus)) {
        return 0;
    }
    at = pci_add_capability(dev, PCI_CAP_ID_EXP, offset, PCIE_CAP_SIZE, NULL);
    if (at < 0) {
        return at;
    }
    dev->exp_cap = at;
    dev->cap_present |= QEMU_PCI_CAP_EXPRESS;
    pci_set_word(dev->config + at + PCI_EXP_FLAGS,
                 PCIE_CAP_VERSION | type << 4);
    pci_set_long(dev->config + at + PCI_EXP_DEVCAP, PCI_EXP_DEVCAP_RBER);
    pci_set_word(dev->wmask + at + PCI_EXP_DEVCTL,
                 PCIE_DEVCTL_ERRORS | PCI_EXP_DEVCTL_PAYLOAD |
                 PCI_EXP_DEVCTL_READRQ | PCI_EXP_DEVCTL_RELAX_EN |
                 PCI_EXP_DEVCTL_NOSNOOP_EN);
    pci_set_word(dev->w1cmask + at + PCI_EXP_DEVSTA, PCIE_DEVSTA_ERRORS);
    if (!integrated) {
        init_link(dev, at);
    }
    return at;
}

void pcie_cap_deverr_reset(PCIDevice *dev)
{
    uint8_t *ctl = dev->config + dev->exp_cap + PCI_EXP_DEVCTL;

    if (dev->exp_cap) {
        pci_set_word(ctl, pci_get_word(ctl) & ~PCIE_DEVCTL_ERRORS);
    }
}
