/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PCI devices and buses (PCI Local Bus 3.0; PCI Express Base 3.0).  Register
 * names are those of <linux/pci_regs.h>.
 *
 * A device belongs to one owner (hw/qdev-core.h).  In a remote process each
 * device has memory, I/O and DMA spaces of its own, which its bus gives it
 * through pci_setup_spaces; in the main process they are the bus's.
 */
#ifndef HW_PCI_PCI_H
#define HW_PCI_PCI_H

#include <linux/pci_regs.h>
#include "hw/qdev-core.h"
#include "hw/qdev-properties.h"
#include "qemu/bswap.h"
#include "system/memory.h"

#define PCI_DEVFN(slot, func) ((((slot) & 0x1f) << 3) | ((func) & 0x07))
#define PCI_SLOT(devfn) (((devfn) >> 3) & 0x1f)
#define PCI_FUNC(devfn) ((devfn) & 0x07)
#define PCI_BUILD_BDF(bus, devfn) (((bus) << 8) | (devfn))
#define PCI_BUS_MAX 256
#define PCI_DEVFN_MAX 256
#define PCI_SLOT_MAX 32
#define PCI_FUNC_MAX 8
#define PCI_CONFIG_SPACE_SIZE 0x100
#define PCIE_CONFIG_SPACE_SIZE 0x1000
#define PCI_NUM_REGIONS 7
#define PCI_ROM_SLOT 6
#define PCI_NUM_PINS 4
#define PCI_BAR_UNMAPPED (~(uint64_t)0)

#define TYPE_PCI_DEVICE "pci-device"
typedef struct PCIDeviceClass PCIDeviceClass;
DECLARE_OBJ_CHECKERS(PCIDevice, PCIDeviceClass, PCI_DEVICE, TYPE_PCI_DEVICE)
#define TYPE_PCI_BUS "PCI"
typedef struct PCIBusClass PCIBusClass;
DECLARE_OBJ_CHECKERS(PCIBus, PCIBusClass, PCI_BUS, TYPE_PCI_BUS)
#define TYPE_PCIE_BUS "PCIE"        /* child type: ECAM, 4 KiB config */
/* Interfaces that say on which bus a device may stand. */
#define INTERFACE_PCIE_DEVICE "pci-express-device"
#define INTERFACE_CONVENTIONAL_PCI_DEVICE "conventional-pci-device"

typedef uint32_t PCIConfigReadFunc(PCIDevice *dev, uint32_t addr, int len);
typedef void PCIConfigWriteFunc(PCIDevice *dev, uint32_t addr, uint32_t val,
                                int len);

struct PCIDeviceClass {
    DeviceClass parent_class;
    bool (*realize)(PCIDevice *dev, Error **errp);
    void (*exit)(PCIDevice *dev);
    PCIConfigReadFunc *config_read;     /* default: pci_default_read_config */
    PCIConfigWriteFunc *config_write;
    uint16_t vendor_id, device_id;
    uint16_t subsystem_vendor_id, subsystem_id;     /* 0: 1af4:1100 */
    uint16_t class_id;
    uint8_t revision;
    const char *romfile;                /* option ROM, NULL: none */
    bool is_bridge;                     /* header type 1 */
};

typedef struct PCIIORegion {
    uint64_t addr;                      /* PCI_BAR_UNMAPPED: not decoded */
    uint64_t size;                      /* bytes; 0: no such BAR */
    uint8_t type;                       /* PCI_BASE_ADDRESS_* bits */
    MemoryRegion *memory;
    MemoryRegion *address_space;        /* container it is put in */
} PCIIORegion;

typedef enum PCIINTxMode {
    PCI_INTX_DISABLED,
    PCI_INTX_ENABLED,
    PCI_INTX_INVERTED,
} PCIINTxMode;
typedef struct PCIINTxRoute {
    PCIINTxMode mode;
    int irq;                            /* GSI */
} PCIINTxRoute;
typedef void (*PCIINTxRoutingNotifier)(PCIDevice *dev);

typedef struct MSIMessage {
    uint64_t address;
    uint32_t data;
} MSIMessage;

struct PCIDevice {
    DeviceState qdev;

    /* Config space; wmask: bits the guest may write; w1cmask: bits that a
     * one clears; used: capability bytes taken.  Beyond the standard header
     * only what the device puts in a mask can be written. */
    uint8_t *config, *wmask, *w1cmask, *used;
    uint32_t config_size;               /* 0x100 or 0x1000 */
    int32_t devfn;                      /* property "addr"; -1: any */
    bool multifunction;
    bool enabled;                       /* false: hidden from the guest */
    uint16_t requester_id;
    PCIIORegion io_regions[PCI_NUM_REGIONS];

    /* Where BARs are mapped and DMA goes; see pci_setup_spaces. */
    MemoryRegion *space_mem, *space_io;
    AddressSpace *dma_as;               /* what DMA sees with mastering on */
    AddressSpace bus_master_as;         /* dma_as, or nothing */
    MemoryRegion bus_master_container, bus_master_enable_region;

    bool intx_level;                    /* what the model drives */
    bool intx_driven;                   /* what the bus has been told of it */
    PCIINTxRoutingNotifier intx_routing_notifier;

    uint32_t cap_present;               /* QEMU_PCI_CAP_* */
    uint8_t msi_cap, msix_cap, exp_cap; /* offsets in config space */
    int msix_entries_nr;
    uint8_t *msix_table, *msix_pba;
    MemoryRegion msix_exclusive_bar, msix_table_mmio, msix_pba_mmio;
    bool msix_function_masked;          /* or MSI-X is off */

    char *romfile;                      /* property "romfile"; "" none */
    uint32_t romsize;                   /* property; 0: that of the file */
    int32_t rombar;                     /* property "rombar" */
    int32_t bootindex;                  /* property; -1: none */
    bool has_rom;
    MemoryRegion rom;
    GBytes *rom_file;                   /* the ROM's image if rombar=0 */
};

enum {
    QEMU_PCI_CAP_MSI = 1 << 0,
    QEMU_PCI_CAP_MSIX = 1 << 1,
    QEMU_PCI_CAP_EXPRESS = 1 << 2,
};

typedef void (*pci_set_irq_fn)(void *opaque, int irq_num, int level);
typedef int (*pci_map_irq_fn)(PCIDevice *dev, int pin);
typedef PCIINTxRoute (*pci_route_irq_fn)(void *opaque, int pin);
/* Gives a device that is about to be realized its spaces. */
typedef bool (*pci_setup_spaces_fn)(PCIBus *bus, void *opaque, PCIDevice *dev,
                                    Error **errp);

struct PCIBus {
    BusState qbus;
    uint8_t devfn_min;
    PCIDevice *devices[PCI_DEVFN_MAX];
    PCIDevice *parent_dev;              /* the bridge; NULL: a root bus */
    MemoryRegion *address_space_mem;
    MemoryRegion *address_space_io;
    AddressSpace *dma_as;               /* NULL: address_space_memory */
    pci_set_irq_fn set_irq;
    pci_map_irq_fn map_irq;
    pci_route_irq_fn route_intx_to_irq;
    void *irq_opaque;
    int nirq;
    int *irq_count;                     /* levels driven, per bus irq; NULL:
                                           each change goes to set_irq */
    pci_setup_spaces_fn setup_spaces;
    void *setup_spaces_opaque;
    void (*release_spaces)(PCIBus *bus, void *opaque, PCIDevice *dev);
};
struct PCIBusClass {
    BusClass parent_class;
};

/* -- Buses --------------------------------------------------------------- */

PCIBus *pci_root_bus_new(DeviceState *parent, const char *name,
                         MemoryRegion *mem, MemoryRegion *io,
                         uint8_t devfn_min, const char *type);
/* @nirq lines; set_irq gets the level of each as the OR of all devices. */
void pci_bus_irqs(PCIBus *bus, pci_set_irq_fn set_irq, void *opaque, int nirq);
void pci_bus_map_irqs(PCIBus *bus, pci_map_irq_fn map_irq);
void pci_bus_set_route_irq_fn(PCIBus *bus, pci_route_irq_fn fn);
/* Instead of counting: each device's pin is passed on as it is, irq_num being
 * what map_irq gives (the remote machine's IOHUB counts itself). */
void pci_bus_irqs_uncounted(PCIBus *bus, pci_set_irq_fn set_irq, void *opaque);
void pci_bus_setup_spaces(PCIBus *bus, pci_setup_spaces_fn setup,
                          void (*release)(PCIBus *, void *, PCIDevice *),
                          void *opaque);
/* map_irq has other answers than before: levels move to where they belong. */
void pci_bus_remap_irqs(PCIBus *bus);
/* The chipset's routing changed: every listener below is called. */
void pci_bus_fire_intx_routing_notifier(PCIBus *bus);
int pci_bus_get_irq_level(PCIBus *bus, int irq_num);
PCIBus *pci_find_primary_bus(void);             /* of the machine, or NULL */
PCIBus *pci_find_bus_nr(PCIBus *root, int bus_num);
PCIDevice *pci_find_device(PCIBus *root, int bus_num, uint8_t devfn);
int pci_bus_num(PCIBus *bus);
bool pci_bus_is_express(const PCIBus *bus);
bool pci_bus_is_root(const PCIBus *bus);
PCIBus *pci_get_bus(const PCIDevice *dev);
PCIBus *pci_device_root_bus(const PCIDevice *dev);
void pci_for_each_device(PCIBus *bus, void (*fn)(PCIBus *, PCIDevice *, void *),
                         void *opaque);         /* this bus only */
/* Standard swizzle of a slot's pins. */
static inline int pci_swizzle(int slot, int pin)
{
    return (slot + pin) % PCI_NUM_PINS;
}

/* -- Devices ------------------------------------------------------------- */

static inline int pci_dev_bus_num(const PCIDevice *dev)
{
    return pci_bus_num(pci_get_bus(dev));
}
uint16_t pci_requester_id(PCIDevice *dev);
PCIDevice *pci_new(int devfn, const char *type);
PCIDevice *pci_new_multifunction(int devfn, const char *type);
bool pci_realize_and_unref(PCIDevice *dev, PCIBus *bus, Error **errp);
PCIDevice *pci_create_simple(PCIBus *bus, int devfn, const char *type);

/* @size: a power of two; 16 bytes (memory) or 4 (I/O) at the least. */
void pci_register_bar(PCIDevice *dev, int region, uint8_t type,
                      MemoryRegion *mr);
uint64_t pci_get_bar_addr(PCIDevice *dev, int region);
/* Adds a capability; @offset 0: where there is room.  Its offset, or -errno. */
int pci_add_capability(PCIDevice *dev, uint8_t cap_id, uint8_t offset,
                       uint8_t size, Error **errp);
uint8_t pci_find_capability(PCIDevice *dev, uint8_t cap_id);

uint32_t pci_default_read_config(PCIDevice *dev, uint32_t addr, int len);
void pci_default_write_config(PCIDevice *dev, uint32_t addr, uint32_t val,
                              int len);
/* What a host bridge or a link calls: any @addr and @len (1, 2, 4); outside of
 * config space reads are all ones and writes are dropped. */
uint32_t pci_host_config_read_common(PCIDevice *dev, uint32_t addr, int len);
void pci_host_config_write_common(PCIDevice *dev, uint32_t addr, uint32_t val,
                                  int len);
/* By bus address: @addr is bus << 16 | devfn << 8 | register (0xcf8 form) */
uint32_t pci_data_read(PCIBus *root, uint32_t addr, int len);
void pci_data_write(PCIBus *root, uint32_t addr, uint32_t val, int len);

/* Without power a device is not there for the guest; with it, it begins in its
 * reset state.  Devices begin powered. */
void pci_set_power(PCIDevice *dev, bool on);
/* The model's own reset, then its registers of the standard header. */
void pci_device_reset(PCIDevice *dev);

/* -- Interrupts ---------------------------------------------------------- */

void pci_set_irq(PCIDevice *dev, int level);            /* its INTx pin */
static inline void pci_irq_assert(PCIDevice *dev)
{
    pci_set_irq(dev, 1);
}
static inline void pci_irq_deassert(PCIDevice *dev)
{
    pci_set_irq(dev, 0);
}
/* 0 for INTA; -1 if it has none. */
int pci_intx(PCIDevice *dev);
bool pci_irq_disabled(PCIDevice *dev);                  /* PCI_COMMAND bit */
PCIINTxRoute pci_device_route_intx_to_irq(PCIDevice *dev, int pin);
bool pci_intx_route_changed(const PCIINTxRoute *a, const PCIINTxRoute *b);
void pci_device_set_intx_routing_notifier(PCIDevice *dev,
                                          PCIINTxRoutingNotifier notifier);

/* -- DMA ----------------------------------------------------------------- */

/*
 * Of memory alone: an access to registers, as a guest may ask for, could begin
 * the device's work anew from within it, take it out of its slot, or wait for
 * another process without the big lock.
 */

static inline AddressSpace *pci_get_address_space(PCIDevice *dev)
{
    return &dev->bus_master_as;
}
static inline MemTxResult pci_dma_rw(PCIDevice *dev, hwaddr addr, void *buf,
                                     uint64_t len, bool is_write)
{
    return address_space_rw(&dev->bus_master_as, addr,
                            (MemTxAttrs){ .requester_id = dev->requester_id,
                                          .memory = true },
                            buf, len, is_write);
}
static inline MemTxResult pci_dma_read(PCIDevice *dev, hwaddr addr, void *buf,
                                       uint64_t len)
{
    return pci_dma_rw(dev, addr, buf, len, false);
}
static inline MemTxResult pci_dma_write(PCIDevice *dev, hwaddr addr,
                                        const void *buf, uint64_t len)
{
    return pci_dma_rw(dev, addr, (void *)buf, len, true);
}
static inline void *pci_dma_map(PCIDevice *dev, hwaddr addr, uint64_t *plen,
                                bool is_write, RAMBlock **block)
{
    return address_space_map(&dev->bus_master_as, addr, plen, is_write, block);
}

/* -- Config space accessors ---------------------------------------------- */

static inline void pci_set_byte(uint8_t *p, uint8_t v)
{
    *p = v;
}
static inline uint8_t pci_get_byte(const uint8_t *p)
{
    return *p;
}
static inline void pci_set_word(uint8_t *p, uint16_t v)
{
    stw_le_p(p, v);
}
static inline uint16_t pci_get_word(const uint8_t *p)
{
    return ldw_le_p(p);
}
static inline void pci_set_long(uint8_t *p, uint32_t v)
{
    stl_le_p(p, v);
}
static inline uint32_t pci_get_long(const uint8_t *p)
{
    return ldl_le_p(p);
}
static inline void pci_set_quad(uint8_t *p, uint64_t v)
{
    stq_le_p(p, v);
}
static inline uint64_t pci_get_quad(const uint8_t *p)
{
    return ldq_le_p(p);
}
static inline void pci_config_set_interrupt_pin(uint8_t *config, uint8_t pin)
{
    config[PCI_INTERRUPT_PIN] = pin;
}
static inline void pci_config_set_class(uint8_t *config, uint16_t v)
{
    pci_set_word(&config[PCI_CLASS_DEVICE], v);
}
static inline void pci_config_set_prog_interface(uint8_t *config, uint8_t v)
{
    config[PCI_CLASS_PROG] = v;
}

/* Machines that have a primary bus say so here. */
void pci_set_primary_bus(PCIBus *bus);
/* Vendor ids that upstream's devices use. */
#define PCI_VENDOR_ID_REDHAT 0x1b36
#define PCI_VENDOR_ID_REDHAT_QUMRANET 0x1af4
#define PCI_SUBDEVICE_ID_QEMU 0x1100
#define PCI_VENDOR_ID_INTEL 0x8086
#define PCI_VENDOR_ID_LSI_LOGIC 0x1000
#define PCI_VENDOR_ID_QEMU 0x1234
#define PCI_DEVICE_ID_REDHAT_NVME 0x0010
#define PCI_DEVICE_ID_REDHAT_PCIE_RP 0x000c

/* The PciInfo of query-pci: the bus and, within their bridges, those below. */
JsonNode *pci_bus_to_json(PCIBus *bus);

#endif
