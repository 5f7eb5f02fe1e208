/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PCI Express capability (PCI Express Base 3.0, 7.8) and hot-plug slots
 * (6.7). */
#ifndef HW_PCI_PCIE_H
#define HW_PCI_PCIE_H

#include "hw/pci/pci.h"

/* Endpoint capability at @offset (0: anywhere); an integrated endpoint when the
 * bus is the root bus.  Does nothing on a conventional bus.  Offset or -errno. */
int pcie_endpoint_cap_init(PCIDevice *dev, uint8_t offset);
void pcie_cap_deverr_reset(PCIDevice *dev);

/**
 * pcie_root_port_cap_init - the capability of a root port with a slot.
 * @port: link number
 * @slot: physical slot number, 0 to 8191
 * @hotplug: the slot has an attention button, power control and events
 * Returns its offset, or -errno.
 */
int pcie_root_port_cap_init(PCIDevice *dev, uint8_t offset, uint8_t port,
                            uint16_t slot, bool hotplug);

/* The hot-plug logic of a port: its device embeds one. */
typedef struct PCIESlotState {
    bool event_pending;         /* what its interrupt tells */
} PCIESlotState;

/* @present: something stands in the slot. */
void pcie_slot_reset(PCIDevice *port, PCIESlotState *s, bool present);
/* After each config write of the port; @old_ctl: the slot control register
 * before it.  True: the guest has just switched an occupied slot off, and what
 * is in it may be taken away. */
bool pcie_slot_written(PCIDevice *port, PCIESlotState *s, uint16_t old_ctl);
/* Whether the guest, whose control was @old_ctl, is done with blinking and leaves
 * the slot on: of a device that was to go it says that it stays. */
bool pcie_slot_kept(PCIDevice *port, uint16_t old_ctl);
uint16_t pcie_slot_control(PCIDevice *port);
bool pcie_slot_powered(PCIDevice *port);
/* The power indicator blinks: the guest is about to switch on or off. */
bool pcie_slot_busy(PCIDevice *port);
void pcie_slot_set_present(PCIDevice *port, PCIESlotState *s, bool present);
void pcie_slot_push_button(PCIDevice *port, PCIESlotState *s);

#endif
