/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A test's end of the mailbox of hands.S. */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "hands.h"
#include "libqtest.h"

#define BOX 0x2000000           /* as in hands.S */

typedef struct Box {
    uint32_t asked, answered, what, addr, value;
} Box;

struct Hands {
    uint8_t *ram;
    uint64_t size;
    Box *box;
    int fd;
};

const char *hands_missing(void)
{
    static char why[100];
    static bool looked;
    int kvm, vm = -1;

    if (!looked) {
        looked = true;
        kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
        if (kvm >= 0) {
            vm = ioctl(kvm, KVM_CREATE_VM, 0);
        }
        if (vm < 0) {
            g_snprintf(why, sizeof(why), "no usable /dev/kvm: %s",
                       strerror(errno));
        }
        if (kvm >= 0) {
            close(kvm);
        }
        if (vm >= 0) {
            close(vm);
        }
    }
    return *why ? why : NULL;
}

Hands *hands_new(uint64_t size, int *fd)
{
    Hands *h = g_new0(Hands, 1);

    h->size = size;
    h->fd = *fd = memfd_create("guest-ram", MFD_CLOEXEC);
    g_assert_cmpint(h->fd, >=, 0);
    g_assert_cmpint(ftruncate(h->fd, size), ==, 0);
    h->ram = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, h->fd, 0);
    g_assert_true(h->ram != MAP_FAILED);
    g_assert_cmpuint(size, >=, BOX + 0x10000);
    h->box = (Box *)(h->ram + BOX);
    return h;
}

void hands_free(Hands *h)
{
    if (h) {
        munmap(h->ram, h->size);
        close(h->fd);
        g_free(h);
    }
}

bool hands_for_port(uint16_t port)
{
    return (port & ~0x81) == 0x20 || (port & ~1) == 0x4d0;
}

bool hands_for_memory(uint64_t addr)
{
    return addr >> 12 == 0xfec00 || addr >> 12 == 0xfee00;
}

static bool ask(Hands *h, unsigned what, uint32_t addr, uint32_t *val)
{
    gint64 end = g_get_monotonic_time() + QTEST_LIMIT_MS * 1000LL;
    uint32_t number = h->box->asked + 1;
    unsigned waited = 0;

    h->box->what = what;
    h->box->addr = addr;
    h->box->value = *val;
    __atomic_store_n(&h->box->asked, number, __ATOMIC_RELEASE);
    while (__atomic_load_n(&h->box->answered, __ATOMIC_ACQUIRE) != number) {
        if (g_get_monotonic_time() > end) {
            return false;
        }
        /* The CPU that it waits for may need this one. */
        if (++waited < 100) {
            sched_yield();
        } else {
            g_usleep(20);
        }
    }
    *val = h->box->value;
    return true;
}

bool hands_access(Hands *h, HandsAction action, uint32_t addr, unsigned size,
                  uint32_t *val)
{
    g_assert_true(size == 1 || size == 2 || size == 4);
    return ask(h, action + size / 2, addr, val);
}

bool hands_take(Hands *h, int *vector)
{
    uint32_t val = 0;
    bool ok = ask(h, HANDS_TAKE, 0, &val);

    *vector = val;
    return ok;
}
