/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of structures that headers mention without needing their contents. */
#ifndef QEMU_TYPEDEFS_H
#define QEMU_TYPEDEFS_H

typedef struct AddressSpace AddressSpace;
typedef struct AioContext AioContext;
typedef struct BlockBackend BlockBackend;
typedef struct BusClass BusClass;
typedef struct BusState BusState;
typedef struct Chardev Chardev;
typedef struct CPUState CPUState;
typedef struct DeviceClass DeviceClass;
typedef struct DeviceState DeviceState;
typedef struct Error Error;
typedef struct EventNotifier EventNotifier;
typedef struct HostMemoryBackend HostMemoryBackend;
typedef struct HotplugHandler HotplugHandler;
typedef struct InterfaceClass InterfaceClass;
typedef struct IRQState *qemu_irq;
typedef struct ISABus ISABus;
typedef struct ISADevice ISADevice;
typedef struct MachineClass MachineClass;
typedef struct MachineState MachineState;
typedef struct MapGuard MapGuard;
typedef struct MemoryListener MemoryListener;
typedef struct MemoryRegion MemoryRegion;
typedef struct MemoryRegionSection MemoryRegionSection;
typedef struct Monitor Monitor;
typedef struct Object Object;
typedef struct ObjectClass ObjectClass;
typedef struct PCIBus PCIBus;
typedef struct PCIDevice PCIDevice;
typedef struct Property Property;
typedef struct QEMUBH QEMUBH;
typedef struct QEMUTimer QEMUTimer;
typedef struct RAMBlock RAMBlock;
typedef struct VMStateDescription VMStateDescription;

typedef uint64_t hwaddr;
#define HWADDR_PRIx PRIx64

#endif
