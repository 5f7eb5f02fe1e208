/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * MSI: the capability, per-vector masking, and how a message leaves.
 * PCI Local Bus 3.0, 6.8.1.
 */
#include "qemu/osdep.h"
#include "qemu/bitops.h"
#include "hw/pci/msi.h"
#include "pci-internal.h"

/* Where local APICs listen (Intel SDM 3A, 10.11.1). */
#define MSI_ADDRESS_BASE 0xfee00000u
#define MSI_ADDRESS_SIZE 0x100000u

bool msi_nonbroken;
static void (*msi_sender)(MSIMessage msg);

void msi_set_sender(void (*send)(MSIMessage msg))
{
    msi_sender = send;
}

/* A message is a memory write: it needs bus mastering, and elsewhere than at
 * the APICs it is one like any other, which registers do not take. */
void msi_send_message(PCIDevice *dev, MSIMessage msg)
{
    uint32_t data = cpu_to_le32(msg.data);

    if (msg.address - MSI_ADDRESS_BASE >= MSI_ADDRESS_SIZE) {
        pci_dma_write(dev, msg.address, &data, sizeof(data));
    } else if (msi_sender && (pci_get_word(dev->config + PCI_COMMAND) &
                              PCI_COMMAND_MASTER)) {
        msi_sender(msg);
    }
}

/* -- Registers ----------------------------------------------------------- */

static uint16_t msi_flags(const PCIDevice *dev)
{
    return pci_get_word(dev->config + dev->msi_cap + PCI_MSI_FLAGS);
}

static uint8_t msi_cap_size(uint16_t flags)
{
    uint8_t size = flags & PCI_MSI_FLAGS_64BIT ? 14 : 10;

    return flags & PCI_MSI_FLAGS_MASKBIT ? size + 10 : size;
}

static uint8_t *mask_bits(const PCIDevice *dev, uint16_t flags)
{
    return dev->config + dev->msi_cap +
        (flags & PCI_MSI_FLAGS_64BIT ? PCI_MSI_MASK_64 : PCI_MSI_MASK_32);
}

static uint8_t *pending_bits(const PCIDevice *dev, uint16_t flags)
{
    return mask_bits(dev, flags) + 4;
}

/* Vectors that software lets the device use. */
static unsigned msi_nr_allocated(uint16_t flags)
{
    unsigned asked = (flags & PCI_MSI_FLAGS_QMASK) >> 1;
    unsigned given = (flags & PCI_MSI_FLAGS_QSIZE) >> 4;

    return 1u << MIN(asked, given);
}

int msi_init(PCIDevice *dev, uint8_t offset, unsigned nr_vectors, bool bit64,
             bool per_vector_mask, Error **errp)
{
    uint16_t flags = ctz32(nr_vectors) << 1;
    uint8_t *wmask;
    int at;

    assert(is_power_of_2(nr_vectors) && nr_vectors <= 32);
    if (!msi_nonbroken) {
        error_setg(errp, "MSI is not possible on this machine");
        return -ENOTSUP;
    }
    flags |= bit64 ? PCI_MSI_FLAGS_64BIT : 0;
    flags |= per_vector_mask ? PCI_MSI_FLAGS_MASKBIT : 0;

    at = pci_add_capability(dev, PCI_CAP_ID_MSI, offset, msi_cap_size(flags),
                            errp);
    if (at < 0) {
        return at;
    }
    dev->msi_cap = at;
    dev->cap_present |= QEMU_PCI_CAP_MSI;
    pci_set_word(dev->config + at + PCI_MSI_FLAGS, flags);

    wmask = dev->wmask + at;
    pci_set_word(wmask + PCI_MSI_FLAGS,
                 PCI_MSI_FLAGS_ENABLE | PCI_MSI_FLAGS_QSIZE);
    pci_set_long(wmask + PCI_MSI_ADDRESS_LO, 0xfffffffc);
    if (bit64) {
        pci_set_long(wmask + PCI_MSI_ADDRESS_HI, UINT32_MAX);
    }
    pci_set_word(wmask + (bit64 ? PCI_MSI_DATA_64 : PCI_MSI_DATA_32), 0xffff);
    if (per_vector_mask) {
        pci_set_long(wmask + (bit64 ? PCI_MSI_MASK_64 : PCI_MSI_MASK_32),
                     UINT32_MAX >> (32 - nr_vectors));
    }
    return 0;
}

void msi_uninit(PCIDevice *dev)
{
    dev->cap_present &= ~QEMU_PCI_CAP_MSI;
    dev->msi_cap = 0;
}

void msi_reset(PCIDevice *dev)
{
    uint32_t i, end;

    if (!(dev->cap_present & QEMU_PCI_CAP_MSI)) {
        return;
    }
    end = dev->msi_cap + msi_cap_size(msi_flags(dev));
    for (i = dev->msi_cap + PCI_MSI_FLAGS; i < end; i++) {
        dev->config[i] &= ~dev->wmask[i];
    }
    if (msi_flags(dev) & PCI_MSI_FLAGS_MASKBIT) {
        pci_set_long(pending_bits(dev, msi_flags(dev)), 0);
    }
}

bool msi_enabled(const PCIDevice *dev)
{
    return (dev->cap_present & QEMU_PCI_CAP_MSI) &&
           (msi_flags(dev) & PCI_MSI_FLAGS_ENABLE);
}

/* -- Messages ------------------------------------------------------------ */

static MSIMessage msi_message(const PCIDevice *dev, unsigned vector)
{
    const uint8_t *cap = dev->config + dev->msi_cap;
    uint16_t flags = msi_flags(dev);
    unsigned nr = msi_nr_allocated(flags);
    MSIMessage msg = { .address = pci_get_long(cap + PCI_MSI_ADDRESS_LO) };

    if (flags & PCI_MSI_FLAGS_64BIT) {
        msg.address |= (uint64_t)pci_get_long(cap + PCI_MSI_ADDRESS_HI) << 32;
        msg.data = pci_get_word(cap + PCI_MSI_DATA_64);
    } else {
        msg.data = pci_get_word(cap + PCI_MSI_DATA_32);
    }
    msg.data = (msg.data & ~(nr - 1)) | vector;
    return msg;
}

void msi_notify(PCIDevice *dev, unsigned vector)
{
    uint16_t flags = msi_flags(dev);

    if (!msi_enabled(dev)) {
        return;
    }
    /* With fewer vectors than it asked for, a device shares them. */
    vector &= msi_nr_allocated(flags) - 1;
    if ((flags & PCI_MSI_FLAGS_MASKBIT) &&
        (pci_get_long(mask_bits(dev, flags)) & BIT(vector))) {
        uint8_t *pending = pending_bits(dev, flags);

        pci_set_long(pending, pci_get_long(pending) | BIT(vector));
        return;
    }
    msi_send_message(dev, msi_message(dev, vector));
}

static void send_unmasked(PCIDevice *dev, uint16_t flags)
{
    uint32_t due = pci_get_long(pending_bits(dev, flags)) &
        ~pci_get_long(mask_bits(dev, flags));
    uint8_t *pending = pending_bits(dev, flags);

    while (due) {
        unsigned vector = ctz32(due);

        due &= due - 1;
        pci_set_long(pending, pci_get_long(pending) & ~BIT(vector));
        msi_notify(dev, vector);
    }
}

void msi_write_config(PCIDevice *dev, uint32_t addr, uint32_t val, int len)
{
    uint16_t flags;

    if (!(dev->cap_present & QEMU_PCI_CAP_MSI)) {
        return;
    }
    flags = msi_flags(dev);
    if (addr + len <= dev->msi_cap ||
        addr >= dev->msi_cap + msi_cap_size(flags) ||
        !(flags & PCI_MSI_FLAGS_ENABLE)) {
        return;
    }
    pci_set_irq(dev, 0);        /* 6.8.1.3: INTx is not used any more */
    if (flags & PCI_MSI_FLAGS_MASKBIT) {
        send_unmasked(dev, flags);
    }
}
