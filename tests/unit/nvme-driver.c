/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tests' NVMe driver and the world of the disk it drives. */
#include "qemu/osdep.h"
#include "nvme-driver.h"
#include "hw/pci/msi.h"
#include "qemu/option.h"
#include "qemu/timer.h"

#define LIMIT_US (20 * G_USEC_PER_SEC)

static NvmeTest *the_test;

/* -- World ----------------------------------------------------------------- */

static MemTxResult mmio_read(void *opaque, hwaddr addr, uint64_t *data,
                             unsigned size, MemTxAttrs attrs)
{
    NvmeTest *t = opaque;

    *data = ldn_le_p(t->registers + addr, size);
    return MEMTX_OK;
}

static MemTxResult mmio_write(void *opaque, hwaddr addr, uint64_t data,
                              unsigned size, MemTxAttrs attrs)
{
    NvmeTest *t = opaque;

    stn_le_p(t->registers + addr, size, data);
    return MEMTX_OK;
}

static const MemoryRegionOps mmio_ops = {
    .read_with_attrs = mmio_read,
    .write_with_attrs = mmio_write,
    .valid = { .min_access_size = 1, .max_access_size = 8 },
    .impl = { .min_access_size = 1, .max_access_size = 8 },
};

static uint64_t config_read(void *opaque, hwaddr addr, unsigned size)
{
    NvmeTest *t = opaque;

    return pci_host_config_read_common(t->dev, addr, size);
}

static void config_write(void *opaque, hwaddr addr, uint64_t data,
                         unsigned size)
{
    NvmeTest *t = opaque;

    pci_host_config_write_common(t->dev, addr, data, size);
}

static const MemoryRegionOps config_ops = {
    .read = config_read,
    .write = config_write,
    .valid = { .min_access_size = 1, .max_access_size = 4 },
    .impl = { .min_access_size = 1, .max_access_size = 4 },
};

static void set_irq(void *opaque, int n, int level)
{
    NvmeTest *t = opaque;

    t->irq_raised += level && !t->irq;
    t->irq = level;
}

static int map_irq(PCIDevice *dev, int pin)
{
    return pin;
}

static void got_message(MSIMessage msg)
{
    the_test->msi++;
    the_test->msi_data = msg.data;
}

/* Ends a sleep from which nothing else would wake. */
static void tick(void *opaque)
{
}

int64_t nt_deadline(void)
{
    return g_get_monotonic_time() + LIMIT_US;
}

void nt_sleep(int64_t deadline)
{
    static QEMUTimer *timer;

    if (!timer) {
        timer = aio_timer_new(qemu_get_aio_context(), QEMU_CLOCK_REALTIME,
                              SCALE_MS, tick, NULL);
    }
    /* Once: a test that wants to see a wake-up lost would be woken by it. */
    timer_mod(timer, qemu_clock_get_ms(QEMU_CLOCK_REALTIME) + 50);
    g_assert_cmpint(g_get_monotonic_time(), <, deadline);
    aio_poll(qemu_get_aio_context(), true);
}

void nt_run(void)
{
    while (aio_poll(qemu_get_aio_context(), false)) {
    }
}

static char *make_disk(NvmeTest *t)
{
    int fd = g_file_open_tmp("nvme-XXXXXX", &t->path, NULL);

    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(ftruncate(fd, NT_DISK), ==, 0);
    close(fd);
    return g_strdup_printf("file=%s,format=raw,if=none,id=disk,discard=unmap",
                           t->path);
}

bool nt_try(NvmeTest *t, const char *props, Error **errp)
{
    DeviceState *dev = qdev_new("nvme");
    g_auto(GStrv) list = g_strsplit(props ?: "", ",", -1);
    bool ok = true;
    unsigned i;

    for (i = 0; list[i] && ok; i++) {
        g_auto(GStrv) kv = g_strsplit(list[i], "=", 2);

        ok = object_property_set_str(OBJECT(dev), kv[0], kv[1], errp);
    }
    if (ok && qdev_realize(dev, &t->bus->qbus, errp)) {
        t->dev = PCI_DEVICE(dev);
        return true;
    }
    object_unref(dev);
    return false;
}

NvmeTest *nt_new(const char *drive, const char *props)
{
    NvmeTest *t = g_new0(NvmeTest, 1);
    g_autofree char *disk = drive ? g_strdup(drive) : make_disk(t);
    g_autofree char *all = g_strconcat("drive=disk,serial=test0001",
                                       props ? "," : "", props, NULL);
    g_autoptr(JsonObject) opts = NULL;

    the_test = t;
    msi_set_sender(got_message);
    memory_region_init(&t->mem, NULL, "mem", UINT64_MAX);
    memory_region_init(&t->io, NULL, "io", 0x10000);
    memory_region_init_ram(&t->ram, NULL, "ram", NT_RAM, &error_abort);
    memory_region_init_ram(&t->ram2, NULL, "ram2", NT_RAM2_SIZE, &error_abort);
    memory_region_init_io(&t->mmio, NULL, &mmio_ops, t, "mmio", NT_MMIO_SIZE);
    memory_region_init_io(&t->config, NULL, &config_ops, t, "config", 4096);
    memory_region_add_subregion(&t->mem, NT_CONFIG, &t->config);
    memory_region_add_subregion(&t->mem, 0, &t->ram);
    memory_region_add_subregion(&t->mem, NT_RAM2, &t->ram2);
    memory_region_add_subregion(&t->mem, NT_MMIO, &t->mmio);
    address_space_init(&t->as, &t->mem, "test");
    t->host = memory_region_get_ram_ptr(&t->ram);
    t->free = 0x100000;

    t->bus = pci_root_bus_new(NULL, "pci", &t->mem, &t->io, 0, TYPE_PCIE_BUS);
    t->bus->dma_as = &t->as;
    pci_bus_irqs(t->bus, set_irq, t, PCI_NUM_PINS);
    pci_bus_map_irqs(t->bus, map_irq);
    qbus_realize(&t->bus->qbus, &error_abort);

    opts = keyval_parse_flat(disk, NULL, NULL, &error_abort);
    drive_new(opts, &error_abort);
    nt_try(t, all, &error_abort);
    nt_pci_enable(t);
    return t;
}

void nt_free(NvmeTest *t)
{
    if (t->dev) {
        qdev_unparent(DEVICE(t->dev));
        object_unref(t->dev);
    }
    blk_close_all();
    object_unparent(OBJECT(t->bus));
    object_unref(t->bus);
    address_space_destroy(&t->as);
    memory_region_finalize(&t->config);
    memory_region_finalize(&t->mmio);
    memory_region_finalize(&t->ram2);
    memory_region_finalize(&t->ram);
    memory_region_finalize(&t->io);
    memory_region_finalize(&t->mem);
    if (t->path) {
        unlink(t->path);
        g_free(t->path);
    }
    g_free(t);
}

uint64_t nt_alloc(NvmeTest *t, uint64_t len)
{
    uint64_t at = t->free;

    t->free += ROUND_UP(len, 4096);
    g_assert_cmpuint(t->free, <=, NT_RAM);
    memset(t->host + at, 0, len);
    return at;
}

void *nt_ptr(NvmeTest *t, uint64_t addr)
{
    g_assert_cmpuint(addr, <, NT_RAM);
    return t->host + addr;
}

/* -- Registers ------------------------------------------------------------- */

uint32_t nt_read(NvmeTest *t, uint64_t reg)
{
    uint32_t v = 0;

    address_space_read(&t->as, NT_BAR + reg, MEMTXATTRS_UNSPECIFIED, &v, 4);
    return v;
}

uint64_t nt_read64(NvmeTest *t, uint64_t reg)
{
    uint64_t v = 0;

    address_space_read(&t->as, NT_BAR + reg, MEMTXATTRS_UNSPECIFIED, &v, 8);
    return v;
}

void nt_write(NvmeTest *t, uint64_t reg, uint32_t val)
{
    address_space_write(&t->as, NT_BAR + reg, MEMTXATTRS_UNSPECIFIED, &val, 4);
}

void nt_cfg_write(NvmeTest *t, unsigned reg, uint32_t val, int len)
{
    pci_host_config_write_common(t->dev, reg, val, len);
}

void nt_pci_enable(NvmeTest *t)
{
    nt_cfg_write(t, PCI_BASE_ADDRESS_0, NT_BAR, 4);
    nt_cfg_write(t, PCI_BASE_ADDRESS_1, 0, 4);
    nt_cfg_write(t, PCI_BASE_ADDRESS_4, NT_MSIX_BAR, 4);
    nt_cfg_write(t, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 2);
}

/* -- Queues ---------------------------------------------------------------- */

static void queue_init(NvmeTest *t, NvmeTestQueue *q, unsigned sq_size,
                       unsigned cq_size)
{
    *q = (NvmeTestQueue){
        .sq = nt_alloc(t, sq_size * sizeof(NvmeCmd)),
        .cq = nt_alloc(t, cq_size * sizeof(NvmeCqe)),
        .sq_size = sq_size,
        .cq_size = cq_size,
        .phase = true,
    };
}

void nt_enable_with(NvmeTest *t, unsigned entries, unsigned mps)
{
    uint64_t page = 4096ULL << mps;

    t->free = ROUND_UP(t->free, page);
    queue_init(t, &t->q[0], entries, entries);
    t->q[0].cq = t->free = ROUND_UP(t->free, page);
    nt_alloc(t, entries * sizeof(NvmeCqe));
    t->free = ROUND_UP(t->free, page);
    nt_write(t, NVME_REG_AQA, (entries - 1) << 16 | (entries - 1));
    nt_write(t, NVME_REG_ASQ, t->q[0].sq);
    nt_write(t, NVME_REG_ASQ + 4, 0);
    nt_write(t, NVME_REG_ACQ, t->q[0].cq);
    nt_write(t, NVME_REG_ACQ + 4, 0);
    nt_write(t, NVME_REG_CC, NVME_CC_EN | mps << 7 | 6 << 16 | 4 << 20);
}

void nt_enable(NvmeTest *t)
{
    nt_enable_with(t, 32, 0);
    g_assert_cmphex(nt_read(t, NVME_REG_CSTS), ==, NVME_CSTS_RDY);
}

void nt_disable(NvmeTest *t)
{
    nt_write(t, NVME_REG_CC, 0);
    nt_wait_for(nt_read(t, NVME_REG_CSTS) == 0);
}

void nt_create_at(NvmeTest *t, unsigned qid, uint32_t cq_flags)
{
    NvmeTestQueue *q = &t->q[qid];

    q->tail = q->head = q->taken = 0;
    q->phase = true;
    g_assert_cmphex(nt_do(t, 0, (NvmeCmd){
        .opcode = NVME_ADM_CREATE_CQ, .prp1 = q->cq,
        .cdw10 = (q->cq_size - 1) << 16 | qid, .cdw11 = cq_flags }), ==, 0);
    g_assert_cmphex(nt_do(t, 0, (NvmeCmd){
        .opcode = NVME_ADM_CREATE_SQ, .prp1 = q->sq,
        .cdw10 = (q->sq_size - 1) << 16 | qid, .cdw11 = qid << 16 | 1 }),
        ==, 0);
}

void nt_create_pair(NvmeTest *t, unsigned qid, unsigned entries)
{
    queue_init(t, &t->q[qid], entries, entries);
    nt_create_at(t, qid, 3);
}

NvmeTest *nt_start(const char *drive, const char *props)
{
    NvmeTest *t = nt_new(drive, props);

    nt_enable(t);
    nt_create_pair(t, 1, 64);
    return t;
}

uint16_t nt_put(NvmeTest *t, unsigned qid, NvmeCmd cmd)
{
    NvmeTestQueue *q = &t->q[qid];

    cmd.cid = t->cid++;
    address_space_write(&t->as, q->sq + q->tail * sizeof(cmd),
                        MEMTXATTRS_UNSPECIFIED, &cmd, sizeof(cmd));
    q->tail = (q->tail + 1) % q->sq_size;
    return cmd.cid;
}

void nt_ring(NvmeTest *t, unsigned qid)
{
    nt_write(t, NT_DB_SQ(qid), t->q[qid].tail);
}

uint16_t nt_submit(NvmeTest *t, unsigned qid, NvmeCmd cmd)
{
    uint16_t cid = nt_put(t, qid, cmd);

    nt_ring(t, qid);
    return cid;
}

bool nt_poll(NvmeTest *t, unsigned qid, NvmeCqe *cqe)
{
    NvmeTestQueue *q = &t->q[qid];

    address_space_read(&t->as, q->cq + q->head * sizeof(*cqe),
                       MEMTXATTRS_UNSPECIFIED, cqe, sizeof(*cqe));
    if ((cqe->status & 1) != q->phase) {
        return false;
    }
    if (++q->head == q->cq_size) {
        q->head = 0;
        q->phase = !q->phase;
    }
    q->taken++;
    nt_write(t, NT_DB_CQ(qid), q->head);
    return true;
}

NvmeCqe nt_wait(NvmeTest *t, unsigned qid)
{
    NvmeCqe cqe;

    nt_wait_for(nt_poll(t, qid, &cqe));
    return cqe;
}

uint16_t nt_do(NvmeTest *t, unsigned qid, NvmeCmd cmd)
{
    uint16_t cid = nt_submit(t, qid, cmd);
    NvmeCqe cqe = nt_wait(t, qid);

    g_assert_cmpuint(cqe.cid, ==, cid);
    g_assert_cmpuint(cqe.sqid, ==, qid);
    t->dw0 = cqe.dw0;
    return nt_status(&cqe);
}

uint16_t nt_rw(NvmeTest *t, uint8_t opcode, uint64_t slba, unsigned nlb,
               uint64_t prp1, uint64_t prp2)
{
    return nt_do(t, 1, (NvmeCmd){
        .opcode = opcode, .nsid = 1, .prp1 = prp1, .prp2 = prp2,
        .cdw10 = slba, .cdw11 = slba >> 32, .cdw12 = nlb - 1 });
}
