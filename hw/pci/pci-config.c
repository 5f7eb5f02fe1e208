/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Config space: masks, base address registers and where they are decoded,
 * capabilities.
 *
 * PCI Local Bus 3.0, 6.1 to 6.3 and 6.7; PCI-to-PCI Bridge 1.2, 3.2 for the
 * places that differ in a bridge.  Address 0 is not decoded, and neither is
 * a BAR that reaches the end of its space (which is how it looks while
 * software sizes it).
 */
#include "qemu/osdep.h"
#include "qemu/bitops.h"
#include "hw/pci/msi.h"
#include "pci-internal.h"

/* No x86 CPU forms addresses of more bits. */
#define PCI_MEM_ADDRESS_BITS 52
#define PCI_IO_LAST 0xffff

/* Status bits that report an error and that a one clears. */
#define PCI_STATUS_ERRORS                                               \
    (PCI_STATUS_PARITY | PCI_STATUS_SIG_TARGET_ABORT |                  \
     PCI_STATUS_REC_TARGET_ABORT | PCI_STATUS_REC_MASTER_ABORT |        \
     PCI_STATUS_SIG_SYSTEM_ERROR | PCI_STATUS_DETECTED_PARITY)

static bool is_bridge(PCIDevice *dev)
{
    return PCI_DEVICE_GET_CLASS(dev)->is_bridge;
}

/* -- The standard header ------------------------------------------------- */

static void init_device_header(PCIDevice *dev, PCIDeviceClass *pc)
{
    bool own = pc->subsystem_vendor_id || pc->subsystem_id;

    pci_set_word(dev->config + PCI_SUBSYSTEM_VENDOR_ID,
                 own ? pc->subsystem_vendor_id :
                 PCI_VENDOR_ID_REDHAT_QUMRANET);
    pci_set_word(dev->config + PCI_SUBSYSTEM_ID,
                 own ? pc->subsystem_id : PCI_SUBDEVICE_ID_QEMU);
}

static void init_bridge_header(PCIDevice *dev)
{
    uint8_t *wmask = dev->wmask;

    dev->config[PCI_HEADER_TYPE] = PCI_HEADER_TYPE_BRIDGE;
    wmask[PCI_PRIMARY_BUS] = 0xff;
    wmask[PCI_SECONDARY_BUS] = 0xff;
    wmask[PCI_SUBORDINATE_BUS] = 0xff;
    wmask[PCI_SEC_LATENCY_TIMER] = 0xff;
    wmask[PCI_IO_BASE] = wmask[PCI_IO_LIMIT] = 0xf0;
    pci_set_word(wmask + PCI_MEMORY_BASE, 0xfff0);
    pci_set_word(wmask + PCI_MEMORY_LIMIT, 0xfff0);
    pci_set_word(wmask + PCI_PREF_MEMORY_BASE, 0xfff0);
    pci_set_word(wmask + PCI_PREF_MEMORY_LIMIT, 0xfff0);
    pci_set_quad(wmask + PCI_PREF_BASE_UPPER32, UINT64_MAX);
    pci_set_word(dev->config + PCI_PREF_MEMORY_BASE, PCI_PREF_RANGE_TYPE_64);
    pci_set_word(dev->config + PCI_PREF_MEMORY_LIMIT, PCI_PREF_RANGE_TYPE_64);
    pci_set_word(wmask + PCI_BRIDGE_CONTROL,
                 PCI_BRIDGE_CTL_PARITY | PCI_BRIDGE_CTL_SERR |
                 PCI_BRIDGE_CTL_ISA | PCI_BRIDGE_CTL_VGA |
                 PCI_BRIDGE_CTL_MASTER_ABORT | PCI_BRIDGE_CTL_BUS_RESET);
    pci_set_word(dev->w1cmask + PCI_SEC_STATUS, PCI_STATUS_ERRORS);
}

void pci_config_alloc(PCIDevice *dev)
{
    PCIDeviceClass *pc = PCI_DEVICE_GET_CLASS(dev);
    uint32_t n = dev->config_size;

    dev->config = g_malloc0(n);
    dev->wmask = g_malloc0(n);
    dev->w1cmask = g_malloc0(n);
    dev->used = g_malloc0(n);

    pci_set_word(dev->config + PCI_VENDOR_ID, pc->vendor_id);
    pci_set_word(dev->config + PCI_DEVICE_ID, pc->device_id);
    pci_set_word(dev->config + PCI_CLASS_DEVICE, pc->class_id);
    dev->config[PCI_REVISION_ID] = pc->revision;
    if (pc->is_bridge) {
        init_bridge_header(dev);
    } else {
        init_device_header(dev, pc);
    }
    if (dev->multifunction) {
        dev->config[PCI_HEADER_TYPE] |= 0x80;
    }
    pci_set_word(dev->wmask + PCI_COMMAND,
                 PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER |
                 PCI_COMMAND_PARITY | PCI_COMMAND_SERR |
                 PCI_COMMAND_INTX_DISABLE);
    pci_set_word(dev->w1cmask + PCI_STATUS, PCI_STATUS_ERRORS);
    dev->wmask[PCI_CACHE_LINE_SIZE] = 0xff;
    dev->wmask[PCI_INTERRUPT_LINE] = 0xff;
    memset(dev->used, 0xff, PCI_STD_HEADER_SIZEOF);
}

void pci_config_free(PCIDevice *dev)
{
    g_clear_pointer(&dev->config, g_free);
    g_clear_pointer(&dev->wmask, g_free);
    g_clear_pointer(&dev->w1cmask, g_free);
    g_clear_pointer(&dev->used, g_free);
    dev->cap_present = 0;
    dev->msi_cap = dev->msix_cap = dev->exp_cap = 0;
}

/* -- Base address registers ---------------------------------------------- */

static uint32_t bar_offset(PCIDevice *dev, int region)
{
    if (region == PCI_ROM_SLOT) {
        return is_bridge(dev) ? PCI_ROM_ADDRESS1 : PCI_ROM_ADDRESS;
    }
    return PCI_BASE_ADDRESS_0 + region * 4;
}

static bool bar_is_64(const PCIIORegion *r)
{
    return !(r->type & PCI_BASE_ADDRESS_SPACE_IO) &&
           (r->type & PCI_BASE_ADDRESS_MEM_TYPE_64);
}

void pci_register_bar(PCIDevice *dev, int region, uint8_t type,
                      MemoryRegion *mr)
{
    uint64_t size = memory_region_size(mr);
    bool io = type & PCI_BASE_ADDRESS_SPACE_IO;
    uint32_t offset = bar_offset(dev, region);
    PCIIORegion *r = &dev->io_regions[region];
    uint64_t mask = ~(size - 1);

    assert(region >= 0 && region < PCI_NUM_REGIONS && !r->size);
    assert(is_power_of_2(size) && size >= (io ? 4 : 16));

    r->addr = PCI_BAR_UNMAPPED;
    r->size = size;
    r->type = type;
    r->memory = mr;
    r->address_space = io ? dev->space_io : dev->space_mem;
    assert(region < PCI_ROM_SLOT - 1 || !bar_is_64(r));

    if (region == PCI_ROM_SLOT) {
        mask |= PCI_ROM_ADDRESS_ENABLE;
    } else {
        pci_set_long(dev->config + offset, type);
    }
    if (bar_is_64(r)) {
        pci_set_quad(dev->wmask + offset, mask);
    } else {
        pci_set_long(dev->wmask + offset, mask);
    }
}

uint64_t pci_get_bar_addr(PCIDevice *dev, int region)
{
    return dev->io_regions[region].size ?
        dev->io_regions[region].addr : PCI_BAR_UNMAPPED;
}

/* Where config space says that the region is, whether enabled or not. */
static uint64_t bar_programmed(PCIDevice *dev, int region)
{
    const uint8_t *p = dev->config + bar_offset(dev, region);
    PCIIORegion *r = &dev->io_regions[region];
    uint64_t v = bar_is_64(r) ? pci_get_quad(p) : pci_get_long(p);

    return v & ~(r->size - 1);
}

static bool bar_enabled(PCIDevice *dev, int region)
{
    uint16_t cmd = pci_get_word(dev->config + PCI_COMMAND);

    if (dev->io_regions[region].type & PCI_BASE_ADDRESS_SPACE_IO) {
        return cmd & PCI_COMMAND_IO;
    }
    if (region == PCI_ROM_SLOT &&
        !(dev->config[bar_offset(dev, region)] & PCI_ROM_ADDRESS_ENABLE)) {
        return false;
    }
    return cmd & PCI_COMMAND_MEMORY;
}

static uint64_t bar_decoded(PCIDevice *dev, int region)
{
    PCIIORegion *r = &dev->io_regions[region];
    uint64_t addr, last, limit;

    if (!dev->enabled || !bar_enabled(dev, region)) {
        return PCI_BAR_UNMAPPED;
    }
    addr = bar_programmed(dev, region);
    last = addr + (r->size - 1);
    if (r->type & PCI_BASE_ADDRESS_SPACE_IO) {
        limit = PCI_IO_LAST;
    } else if (bar_is_64(r)) {
        limit = BIT_ULL(PCI_MEM_ADDRESS_BITS) - 1;
    } else {
        limit = UINT32_MAX - 1;
    }
    return addr == 0 || last < addr || last > limit ? PCI_BAR_UNMAPPED : addr;
}

void pci_update_mappings(PCIDevice *dev)
{
    PCIIORegion *r;
    uint64_t addr;
    int i;

    memory_region_transaction_begin();
    for (i = 0; i < PCI_NUM_REGIONS; i++) {
        r = &dev->io_regions[i];
        if (!r->size) {
            continue;
        }
        addr = bar_decoded(dev, i);
        if (addr == r->addr) {
            continue;
        }
        if (r->addr != PCI_BAR_UNMAPPED) {
            memory_region_del_subregion(r->address_space, r->memory);
        }
        r->addr = addr;
        if (addr != PCI_BAR_UNMAPPED) {
            memory_region_add_subregion_overlap(r->address_space, addr,
                                                r->memory, 1);
        }
    }
    memory_region_transaction_commit();
}

void pci_unmap_bars(PCIDevice *dev)
{
    dev->enabled = false;
    pci_update_mappings(dev);
}

static void update_bus_master(PCIDevice *dev)
{
    bool on = pci_get_word(dev->config + PCI_COMMAND) & PCI_COMMAND_MASTER;

    if (dev->bus_master_enable_region.enabled != on) {
        memory_region_set_enabled(&dev->bus_master_enable_region, on);
    }
}

void pci_config_reset(PCIDevice *dev)
{
    uint8_t *c = dev->config;
    int i;

    dev->intx_level = false;
    pci_update_intx(dev);
    pci_set_word(c + PCI_COMMAND, pci_get_word(c + PCI_COMMAND) &
                 ~pci_get_word(dev->wmask + PCI_COMMAND));
    pci_set_word(c + PCI_STATUS,
                 pci_get_word(c + PCI_STATUS) & ~PCI_STATUS_ERRORS);
    c[PCI_CACHE_LINE_SIZE] = 0;
    c[PCI_INTERRUPT_LINE] = 0;
    for (i = 0; i < PCI_NUM_REGIONS; i++) {
        PCIIORegion *r = &dev->io_regions[i];
        uint32_t offset = bar_offset(dev, i);

        if (r->size && bar_is_64(r)) {
            pci_set_quad(c + offset, r->type);
        } else if (r->size) {
            pci_set_long(c + offset, i == PCI_ROM_SLOT ? 0 : r->type);
        }
    }
    pci_update_mappings(dev);
    update_bus_master(dev);
    msi_reset(dev);
    msix_reset(dev);
}

/* -- Capabilities -------------------------------------------------------- */

/* Room for @size bytes on a dword, or 0. */
static uint8_t find_space(PCIDevice *dev, uint8_t size)
{
    int at = PCI_STD_HEADER_SIZEOF, i;

    while (at + size <= PCI_CONFIG_SPACE_SIZE) {
        for (i = 0; i < size && !dev->used[at + i]; i++) {
        }
        if (i == size) {
            return at;
        }
        at = ROUND_UP(at + i + 1, 4);
    }
    return 0;
}

int pci_add_capability(PCIDevice *dev, uint8_t cap_id, uint8_t offset,
                       uint8_t size, Error **errp)
{
    const char *type = object_get_typename(OBJECT(dev));
    int i;

    if (!offset) {
        offset = find_space(dev, size);
        if (!offset) {
            error_setg(errp, "%s: no room in config space for capability %02x "
                       "(%u bytes)", type, cap_id, size);
            return -ENOSPC;
        }
    }
    if (offset < PCI_STD_HEADER_SIZEOF || offset % 4 ||
        offset + size > PCI_CONFIG_SPACE_SIZE) {
        error_setg(errp, "%s: capability %02x does not fit at %02x (%u bytes)",
                   type, cap_id, offset, size);
        return -EINVAL;
    }
    for (i = 0; i < size; i++) {
        if (dev->used[offset + i]) {
            error_setg(errp, "%s: capability %02x at %02x overlaps another at "
                       "%02x", type, cap_id, offset, offset + i);
            return -EINVAL;
        }
    }

    memset(dev->used + offset, 0xff, size);
    memset(dev->config + offset, 0, size);
    memset(dev->wmask + offset, 0, size);
    memset(dev->w1cmask + offset, 0, size);
    dev->config[offset + PCI_CAP_LIST_ID] = cap_id;
    dev->config[offset + PCI_CAP_LIST_NEXT] = dev->config[PCI_CAPABILITY_LIST];
    dev->config[PCI_CAPABILITY_LIST] = offset;
    dev->config[PCI_STATUS] |= PCI_STATUS_CAP_LIST;
    return offset;
}

uint8_t pci_find_capability(PCIDevice *dev, uint8_t cap_id)
{
    uint8_t at = dev->config[PCI_CAPABILITY_LIST];

    if (!(dev->config[PCI_STATUS] & PCI_STATUS_CAP_LIST)) {
        return 0;
    }
    while (at && dev->config[at + PCI_CAP_LIST_ID] != cap_id) {
        at = dev->config[at + PCI_CAP_LIST_NEXT];
    }
    return at;
}

/* -- Accesses ------------------------------------------------------------ */

static bool overlaps(uint32_t addr, int len, uint32_t reg, int reg_len)
{
    return addr < reg + reg_len && reg < addr + len;
}

uint32_t pci_default_read_config(PCIDevice *dev, uint32_t addr, int len)
{
    uint32_t v = UINT32_MAX >> (32 - 8 * len);

    if (addr < dev->config_size) {
        memcpy(&v, dev->config + addr, MIN(len, dev->config_size - addr));
    }
    return v;
}

void pci_default_write_config(PCIDevice *dev, uint32_t addr, uint32_t val,
                              int len)
{
    int i;

    if (addr >= dev->config_size) {
        return;
    }
    len = MIN(len, dev->config_size - addr);
    for (i = 0; i < len; i++) {
        uint8_t v = val >> (8 * i), wmask = dev->wmask[addr + i];
        uint8_t *reg = &dev->config[addr + i];

        *reg = (*reg & ~wmask) | (v & wmask);
        *reg &= ~(v & dev->w1cmask[addr + i]);
    }

    if (overlaps(addr, len, PCI_COMMAND, 2)) {
        pci_update_intx(dev);
        update_bus_master(dev);
        pci_update_mappings(dev);
    } else if (overlaps(addr, len, PCI_BASE_ADDRESS_0, 24) ||
               overlaps(addr, len, bar_offset(dev, PCI_ROM_SLOT), 4)) {
        pci_update_mappings(dev);
    }
    msi_write_config(dev, addr, val, len);
    msix_write_config(dev, addr, val, len);
}

static bool access_ok(PCIDevice *dev, uint32_t addr, int len)
{
    return dev && dev->enabled && addr < dev->config_size &&
           (len == 1 || len == 2 || len == 4);
}

/* The model may give up the lock that keeps the device there. */
uint32_t pci_host_config_read_common(PCIDevice *dev, uint32_t addr, int len)
{
    PCIConfigReadFunc *read;
    uint32_t v;

    if (!access_ok(dev, addr, len)) {
        return UINT32_MAX;
    }
    read = PCI_DEVICE_GET_CLASS(dev)->config_read;
    object_ref(dev);
    v = read ? read(dev, addr, len) : pci_default_read_config(dev, addr, len);
    object_unref(dev);
    return v;
}

void pci_host_config_write_common(PCIDevice *dev, uint32_t addr, uint32_t val,
                                  int len)
{
    PCIConfigWriteFunc *write;

    if (!access_ok(dev, addr, len)) {
        return;
    }
    write = PCI_DEVICE_GET_CLASS(dev)->config_write;
    object_ref(dev);
    if (write) {
        write(dev, addr, val, len);
    } else {
        pci_default_write_config(dev, addr, val, len);
    }
    object_unref(dev);
}
