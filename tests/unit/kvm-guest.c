/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The small PC of kvm-guest.h. */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "kvm-guest.h"

MachineState machine = {
    .smp_cpus = 1, .smp_max_cpus = 1, .cpu_type = (char *)"qemu64,check=off",
};
MemoryRegion ram, rom, mmio_mr;
GString *said, *mmio_log;
uint8_t answer;
void (*host_call)(uint8_t value);
bool may_fail;
int rounds;

static MemoryRegion rom_low, port_mr;

/* -- The world ----------------------------------------------------------- */

static uint64_t port_read(void *opaque, hwaddr addr, unsigned size)
{
    return addr == 2 ? answer * 0x01010101ull : UINT32_MAX;
}

static void port_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    switch (addr) {
    case 0:
        for (unsigned i = 0; i < size; i++) {
            g_string_append_c(said, data >> (i * 8));
        }
        break;
    case 1:
        qemu_system_shutdown_request_with_code(SHUTDOWN_CAUSE_GUEST_SHUTDOWN,
                                               data);
        break;
    case 3:
        host_call(data);
        break;
    }
}

static const MemoryRegionOps port_ops = {
    .read = port_read, .write = port_write,
    .valid.unaligned = true, .impl.unaligned = true,
};

static uint64_t mmio_read(void *opaque, hwaddr addr, unsigned size)
{
    g_string_append_printf(mmio_log, "r%x.%u ", (unsigned)addr, size);
    return 0x1122334455667788ull >> (addr * 8);
}

static void mmio_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    g_string_append_printf(mmio_log, "w%x.%u=%x ", (unsigned)addr, size,
                           (unsigned)data);
}

static const MemoryRegionOps mmio_ops = {
    .read = mmio_read, .write = mmio_write,
    .valid.max_access_size = 8, .impl.max_access_size = 8,
};

static void world_up(void)
{
    MemoryRegion *mem;

    qemu_init_main_loop();
    memory_init();
    mem = get_system_memory();
    said = g_string_new("");
    mmio_log = g_string_new("");
    memory_region_init_ram(&ram, NULL, "ram", RAM_SIZE, &error_abort);
    memory_region_init_rom(&rom, NULL, "rom", ROM_SIZE, &error_abort);
    memory_region_init_alias(&rom_low, NULL, "rom-low", &rom, 0, ROM_SIZE);
    memory_region_init_io(&port_mr, NULL, &port_ops, NULL, "port", 4);
    memory_region_init_io(&mmio_mr, NULL, &mmio_ops, NULL, "mmio", 0x1000);
    memory_region_add_subregion(mem, 0, &ram);
    memory_region_add_subregion(mem, 4 * GiB - ROM_SIZE, &rom);
    memory_region_add_subregion_overlap(mem, 0xf0000, &rom_low, 1);
    memory_region_add_subregion_overlap(mem, 0xd0000, &mmio_mr, 1);
    memory_region_add_subregion(get_system_io(), 0x500, &port_mr);
    if (!accel_configure(&machine, NULL, &error_abort) ||
        !accel->irqchip_create(&machine, &error_abort) ||
        !x86_cpus_init(&machine, &error_abort)) {
        g_assert_not_reached();
    }
}

static bool no_kvm(void)
{
    if (access("/dev/kvm", R_OK | W_OK) < 0) {
        g_test_skip("no /dev/kvm");
        return true;
    }
    return false;
}

static void on_change(void *opaque, bool running, RunState state)
{
    if (state == RUN_STATE_INTERNAL_ERROR) {
        g_assert_true(may_fail);
        qemu_system_shutdown_request(SHUTDOWN_CAUSE_HOST_QMP_QUIT);
    }
}

int run_guest(void)
{
    qemu_add_vm_change_state_handler(on_change, NULL);
    qemu_system_reset(SHUTDOWN_CAUSE_NONE);
    vm_start();
    return qemu_main_loop();
}

/* -- Guests -------------------------------------------------------------- */

void put_rom(const uint8_t *code, const uint8_t *end)
{
    /* jmp f000:0000, at the reset vector */
    static const uint8_t jump[] = { 0xea, 0x00, 0x00, 0x00, 0xf0 };

    g_assert_cmpint(end - code, <, ROM_SIZE - 16);
    memcpy(memory_region_get_ram_ptr(&rom), code, end - code);
    memcpy((uint8_t *)memory_region_get_ram_ptr(&rom) + ROM_SIZE - 16, jump,
           sizeof(jump));
}
void load_kernel(const uint8_t *image, const uint8_t *end)
{
    g_autofree char *dir = g_dir_make_tmp("test-kvm-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "kernel", NULL);

    g_assert_true(g_file_set_contents(path, (const char *)image, end - image,
                                      NULL));
    x86_load_kernel(&machine, path, NULL, "command line", RAM_SIZE, 0, 0,
                    &error_abort);
    unlink(path);
    rmdir(dir);
}
/* -- Running them --------------------------------------------------------- */

static void run_alone(gconstpointer data)
{
    const KVMTest *t = data;

    if (no_kvm()) {
        return;
    }
    if (!g_test_subprocess()) {
        g_test_trap_subprocess(NULL, 60 * G_USEC_PER_SEC,
                               G_TEST_SUBPROCESS_INHERIT_STDERR);
        g_test_trap_assert_passed();
        return;
    }
    machine.smp_cpus = machine.smp_max_cpus = MAX(t->cpus, 1);
    world_up();
    t->fn();
}

void add_kvm_tests(const KVMTest *tests, int n)
{
    for (int i = 0; i < n; i++) {
        g_autofree char *path = g_strconcat("/kvm/", tests[i].path, NULL);

        g_test_add_data_func(path, &tests[i], run_alone);
    }
}
