/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Upstream's options that this program has not, and what to do instead: they
 * are refused by name, with a reason.
 */
#include "qemu/osdep.h"
#include "options.h"

#define NO_DISPLAY "there is no display; a serial port is the console"
#define NO_NETWORK "there are no network devices"
#define NO_STATE "a machine's state is neither saved nor moved"
#define A_DISK "use -drive if=none,id=ID,file=FILE,format=raw " \
               "-device nvme,drive=ID,serial=TEXT"

static const struct { const char *name, *why; } absent[] = {
    { "acpitable", "the tables are the machine's own" },
    { "cdrom", "use -drive if=none,id=ID,file=FILE,format=raw,readonly=on "
               "-device lsi53c895a -device scsi-cd,drive=ID" },
    { "dfilter", "there is no translation of code to be logged" },
    { "dump-vmstate", NO_STATE },
    { "echr", "the escape character is Ctrl-a" },
    { "fda", "there are no floppy drives" },
    { "fdb", "there are no floppy drives" },
    { "fsdev", "there is no virtio-9p" },
    { "full-screen", NO_DISPLAY },
    { "g", NO_DISPLAY },
    { "gdb", "there is no debugger's stub" },
    { "hda", A_DISK }, { "hdb", A_DISK }, { "hdc", A_DISK }, { "hdd", A_DISK },
    { "icount", "guests run under KVM, which does not count instructions" },
    { "incoming", NO_STATE },
    { "k", NO_DISPLAY },
    { "loadvm", NO_STATE },
    { "mtdblock", "there are no flash memories" },
    { "netdev", NO_NETWORK },
    { "option-rom", "use romfile= of the device" },
    { "pflash", "there are no flash memories; firmware is -bios FILE" },
    { "plugin", "there is no translation of code to plug into" },
    { "preconfig", "a machine is configured on the command line" },
    { "s", "there is no debugger's stub" },
    { "sd", "there are no SD cards" },
    { "semihosting", "that is for other architectures" },
    { "singlestep", "there is no translation of code" },
    { "snapshot", "make a copy of the image" },
    { "spice", NO_DISPLAY },
    { "tpmdev", "there is no TPM" },
    { "usb", "there are no USB devices" },
    { "usbdevice", "there are no USB devices" },
    { "virtfs", "there is no virtio-9p" },
    { "vnc", NO_DISPLAY },
    { "watchdog", "there are no watchdogs" },
    { "writeconfig", "write the file by hand: docs/system/invocation.md" },
};

const char *option_absent(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(absent); i++) {
        if (g_str_equal(absent[i].name, name)) {
            return absent[i].why;
        }
    }
    return NULL;
}
