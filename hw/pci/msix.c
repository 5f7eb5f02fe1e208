/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * MSI-X: the capability, the table of vectors and the pending bits.
 * PCI Local Bus 3.0, 6.8.2.
 *
 * A vector that is raised while it or the function is masked stays pending
 * and is sent when the last mask goes.
 */
#include "qemu/osdep.h"
#include "qemu/bitops.h"
#include "hw/pci/msi.h"
#include "pci-internal.h"

#define MSIX_MAX_ENTRIES 2048
#define MSIX_CTRL_ENABLE (PCI_MSIX_FLAGS_ENABLE >> 8)
#define MSIX_CTRL_MASKALL (PCI_MSIX_FLAGS_MASKALL >> 8)

static uint8_t *entry(const PCIDevice *dev, unsigned vector)
{
    return dev->msix_table + vector * PCI_MSIX_ENTRY_SIZE;
}

static uint8_t control(const PCIDevice *dev)
{
    return dev->config[dev->msix_cap + PCI_MSIX_FLAGS + 1];
}

static uint64_t pba_size(unsigned nentries)
{
    return ROUND_UP(nentries, 64) / 8;
}

bool msix_present(const PCIDevice *dev)
{
    return dev->cap_present & QEMU_PCI_CAP_MSIX;
}

bool msix_enabled(const PCIDevice *dev)
{
    return msix_present(dev) && (control(dev) & MSIX_CTRL_ENABLE);
}

/* -- Vectors ------------------------------------------------------------- */

static bool is_masked(const PCIDevice *dev, unsigned vector)
{
    return dev->msix_function_masked ||
        (entry(dev, vector)[PCI_MSIX_ENTRY_VECTOR_CTRL] &
         PCI_MSIX_ENTRY_CTRL_MASKBIT);
}

static void send(PCIDevice *dev, unsigned vector)
{
    const uint8_t *e = entry(dev, vector);

    msi_send_message(dev, (MSIMessage){
        .address = pci_get_quad(e + PCI_MSIX_ENTRY_LOWER_ADDR),
        .data = pci_get_long(e + PCI_MSIX_ENTRY_DATA),
    });
}

void msix_notify(PCIDevice *dev, unsigned vector)
{
    if (!msix_enabled(dev) || vector >= dev->msix_entries_nr) {
        return;
    }
    if (is_masked(dev, vector)) {
        dev->msix_pba[vector / 8] |= BIT(vector % 8);
    } else {
        send(dev, vector);
    }
}

static void send_if_pending(PCIDevice *dev, unsigned vector)
{
    uint8_t *byte = &dev->msix_pba[vector / 8];

    if ((*byte & BIT(vector % 8)) && !is_masked(dev, vector)) {
        *byte &= ~BIT(vector % 8);
        send(dev, vector);
    }
}

/* -- Table and pending bits ---------------------------------------------- */

static uint64_t table_read(void *opaque, hwaddr addr, unsigned size)
{
    PCIDevice *dev = opaque;

    return ldn_le_p(dev->msix_table + addr, size);
}

static void table_write(void *opaque, hwaddr addr, uint64_t val, unsigned size)
{
    PCIDevice *dev = opaque;

    stn_le_p(dev->msix_table + addr, size, val);
    send_if_pending(dev, addr / PCI_MSIX_ENTRY_SIZE);
}

static const MemoryRegionOps table_ops = {
    .read = table_read,
    .write = table_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 4, .max_access_size = 8 },
    .impl = { .min_access_size = 4, .max_access_size = 4 },
};

static uint64_t pba_read(void *opaque, hwaddr addr, unsigned size)
{
    PCIDevice *dev = opaque;

    return ldn_le_p(dev->msix_pba + addr, size);
}

static void pba_write(void *opaque, hwaddr addr, uint64_t val, unsigned size)
{
    /* Software must not; hardware may ignore it (6.8.2.10). */
}

static const MemoryRegionOps pba_ops = {
    .read = pba_read,
    .write = pba_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 4, .max_access_size = 8 },
    .impl = { .min_access_size = 4, .max_access_size = 4 },
};

static void mask_all_vectors(PCIDevice *dev)
{
    unsigned i;

    memset(dev->msix_table, 0, dev->msix_entries_nr * PCI_MSIX_ENTRY_SIZE);
    memset(dev->msix_pba, 0, pba_size(dev->msix_entries_nr));
    for (i = 0; i < dev->msix_entries_nr; i++) {
        entry(dev, i)[PCI_MSIX_ENTRY_VECTOR_CTRL] = PCI_MSIX_ENTRY_CTRL_MASKBIT;
    }
}

/* -- Capability ---------------------------------------------------------- */

static bool structures_fit(PCIDevice *dev, unsigned nentries,
                           MemoryRegion *table_bar, unsigned table_offset,
                           MemoryRegion *pba_bar, unsigned pba_offset,
                           Error **errp)
{
    uint64_t table_size = nentries * PCI_MSIX_ENTRY_SIZE;
    uint64_t table_end = table_offset + table_size;
    uint64_t pba_end = pba_offset + pba_size(nentries);
    const char *type = object_get_typename(OBJECT(dev));

    if (nentries < 1 || nentries > MSIX_MAX_ENTRIES) {
        error_setg(errp, "%s: %u MSI-X vectors: 1 to %d are possible", type,
                   nentries, MSIX_MAX_ENTRIES);
        return false;
    }
    if ((table_offset | pba_offset) % 8 ||
        table_end > memory_region_size(table_bar) ||
        pba_end > memory_region_size(pba_bar) ||
        (table_bar == pba_bar && table_offset < pba_end &&
         pba_offset < table_end)) {
        error_setg(errp, "%s: the MSI-X table (%u vectors at %#x) and pending "
                   "bits (at %#x) do not fit in their BARs", type, nentries,
                   table_offset, pba_offset);
        return false;
    }
    return true;
}

int msix_init(PCIDevice *dev, unsigned nentries, MemoryRegion *table_bar,
              uint8_t table_bar_nr, unsigned table_offset,
              MemoryRegion *pba_bar, uint8_t pba_bar_nr, unsigned pba_offset,
              uint8_t cap_pos, Error **errp)
{
    uint8_t *config;
    int at;

    if (!msi_nonbroken) {
        error_setg(errp, "MSI-X is not possible on this machine");
        return -ENOTSUP;
    }
    if (!structures_fit(dev, nentries, table_bar, table_offset, pba_bar,
                        pba_offset, errp)) {
        return -EINVAL;
    }
    at = pci_add_capability(dev, PCI_CAP_ID_MSIX, cap_pos, PCI_CAP_MSIX_SIZEOF,
                            errp);
    if (at < 0) {
        return at;
    }
    config = dev->config + at;
    pci_set_word(config + PCI_MSIX_FLAGS, nentries - 1);
    pci_set_long(config + PCI_MSIX_TABLE, table_offset | table_bar_nr);
    pci_set_long(config + PCI_MSIX_PBA, pba_offset | pba_bar_nr);
    dev->wmask[at + PCI_MSIX_FLAGS + 1] = MSIX_CTRL_ENABLE | MSIX_CTRL_MASKALL;

    dev->msix_cap = at;
    dev->cap_present |= QEMU_PCI_CAP_MSIX;
    dev->msix_entries_nr = nentries;
    dev->msix_function_masked = true;
    dev->msix_table = g_malloc(nentries * PCI_MSIX_ENTRY_SIZE);
    dev->msix_pba = g_malloc(pba_size(nentries));
    mask_all_vectors(dev);

    memory_region_init_io(&dev->msix_table_mmio, OBJECT(dev), &table_ops, dev,
                          "msix-table", nentries * PCI_MSIX_ENTRY_SIZE);
    memory_region_add_subregion_overlap(table_bar, table_offset,
                                        &dev->msix_table_mmio, 1);
    memory_region_init_io(&dev->msix_pba_mmio, OBJECT(dev), &pba_ops, dev,
                          "msix-pba", pba_size(nentries));
    memory_region_add_subregion_overlap(pba_bar, pba_offset,
                                        &dev->msix_pba_mmio, 1);
    return 0;
}

/* The table in the lower half of a BAR of at least 4 KiB, pending bits in the
 * upper half: where upstream's devices have them. */
int msix_init_exclusive_bar(PCIDevice *dev, unsigned nentries, uint8_t bar_nr,
                            Error **errp)
{
    uint64_t half = MAX(2 * KiB, pow2ceil(nentries * PCI_MSIX_ENTRY_SIZE));
    int ret;

    memory_region_init(&dev->msix_exclusive_bar, OBJECT(dev), "msix", 2 * half);
    ret = msix_init(dev, nentries, &dev->msix_exclusive_bar, bar_nr, 0,
                    &dev->msix_exclusive_bar, bar_nr, half, 0, errp);
    if (ret < 0) {
        memory_region_finalize(&dev->msix_exclusive_bar);
        return ret;
    }
    pci_register_bar(dev, bar_nr, PCI_BASE_ADDRESS_SPACE_MEMORY,
                     &dev->msix_exclusive_bar);
    return 0;
}

void msix_uninit(PCIDevice *dev)
{
    if (!msix_present(dev)) {
        return;
    }
    dev->cap_present &= ~QEMU_PCI_CAP_MSIX;
    dev->msix_cap = 0;
    memory_region_finalize(&dev->msix_table_mmio);
    memory_region_finalize(&dev->msix_pba_mmio);
    if (dev->msix_exclusive_bar.name) {
        memory_region_finalize(&dev->msix_exclusive_bar);
        memset(&dev->msix_exclusive_bar, 0, sizeof(dev->msix_exclusive_bar));
    }
    g_clear_pointer(&dev->msix_table, g_free);
    g_clear_pointer(&dev->msix_pba, g_free);
    dev->msix_entries_nr = 0;
}

void msix_reset(PCIDevice *dev)
{
    if (!msix_present(dev)) {
        return;
    }
    dev->config[dev->msix_cap + PCI_MSIX_FLAGS + 1] &=
        ~(MSIX_CTRL_ENABLE | MSIX_CTRL_MASKALL);
    dev->msix_function_masked = true;
    mask_all_vectors(dev);
}

void msix_write_config(PCIDevice *dev, uint32_t addr, uint32_t val, int len)
{
    uint32_t ctrl = dev->msix_cap + PCI_MSIX_FLAGS + 1;
    bool was_masked = dev->msix_function_masked;
    unsigned i;

    if (!msix_present(dev) || addr > ctrl || addr + len <= ctrl) {
        return;
    }
    dev->msix_function_masked = (control(dev) & (MSIX_CTRL_ENABLE |
                                                 MSIX_CTRL_MASKALL)) !=
                                MSIX_CTRL_ENABLE;
    if (msix_enabled(dev)) {
        pci_set_irq(dev, 0);    /* 6.8.2.3: INTx is not used any more */
    }
    if (was_masked && !dev->msix_function_masked) {
        for (i = 0; i < dev->msix_entries_nr; i++) {
            send_if_pending(dev, i);
        }
    }
}
