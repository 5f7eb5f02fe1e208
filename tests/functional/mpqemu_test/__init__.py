# SPDX-License-Identifier: GPL-2.0-or-later
"""What the functional tests share.

linux      the Debian kernel and its modules
initramfs  small root file systems made in memory
lab        a throw-away guest with a /dev/kvm that runs 64-bit kernels
bootdisk   disk images that firmware boots
pair       a virtual machine as a main process and its device processes
qmp        a client of the machine protocol
evidence   what the kernel can tell about those processes from outside
suite      a program of tests, here or in the lab
tap        unittest that speaks the Test Anything Protocol
"""
