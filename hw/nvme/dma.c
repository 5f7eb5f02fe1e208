/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NVMe data transfer: PRP entries and lists (NVM Express 1.4, section 4.3).
 *
 * The guest's addresses are gathered in runs of adjacent pages, and these are
 * mapped for the back end to read and write in place.  Memory that is more
 * scattered than an I/O vector may be is copied through a buffer instead.  Such
 * buffers have a budget a controller, so that a guest cannot make the host
 * allocate at will.
 */
#include "qemu/osdep.h"
#include "nvme.h"

#define NVME_BUFFER_BUDGET (16 * MiB)

/* -- Buffers --------------------------------------------------------------- */

bool nvme_buffer_alloc(NvmeCtrl *n, struct iovec *iov, uint64_t len)
{
    /* One that is larger than the budget is served alone. */
    if (n->buffers && n->buffers + len > NVME_BUFFER_BUDGET) {
        return false;
    }
    iov->iov_base = aligned_alloc(4096, ROUND_UP(len, 4096));
    if (!iov->iov_base) {
        return false;
    }
    iov->iov_len = len;
    n->buffers += len;
    return true;
}

void nvme_buffer_free(NvmeCtrl *n, struct iovec *iov)
{
    if (iov->iov_base) {
        n->buffers -= iov->iov_len;
        free(iov->iov_base);
        *iov = (struct iovec){ 0 };
    }
}

/* -- PRP entries -> runs --------------------------------------------------- */

static bool sg_add(NvmeCtrl *n, uint64_t addr, uint64_t len)
{
    NvmeSg *last = n->nsg ? &n->sg[n->nsg - 1] : NULL;

    if (last && addr && last->addr + last->len == addr) {
        last->len += len;
        return true;
    }
    if (n->nsg == n->sg_max) {
        NvmeSg *more = g_try_renew(NvmeSg, n->sg, n->sg_max * 2);

        if (!more) {
            return false;
        }
        n->sg = more;
        n->sg_max *= 2;
    }
    n->sg[n->nsg++] = (NvmeSg){ addr, len };
    return true;
}

/* The pages named by the list at @list, and by those that it goes on in. */
static uint16_t prp_list_walk(NvmeRequest *req, uint64_t list, uint64_t len)
{
    NvmeCtrl *n = req->n;
    uint64_t page = n->page_size, i;

    if (list & 7) {
        return nvme_error(req, NVME_INVALID_PRP_OFFSET, NVME_AT(prp2, 0));
    }
    for (;;) {
        uint64_t need = DIV_ROUND_UP(len, page);
        uint64_t room = (page - (list & (page - 1))) / sizeof(uint64_t);
        bool chained = need > room;
        uint64_t entries = MIN(need, room);

        if (pci_dma_read(&n->parent_obj, list, n->prp_list,
                         entries * sizeof(uint64_t)) != MEMTX_OK) {
            return nvme_error(req, NVME_DATA_TRAS_ERROR, NVME_AT(prp2, 0));
        }
        for (i = 0; i < entries; i++) {
            if (n->prp_list[i] & (page - 1)) {
                return nvme_error(req, NVME_INVALID_PRP_OFFSET,
                                  NVME_AT(prp2, 0));
            }
        }
        entries -= chained;
        for (i = 0; i < entries; i++) {
            uint64_t l = MIN(len, page);

            if (!sg_add(n, n->prp_list[i], l)) {
                return NVME_INTERNAL_DEV_ERROR;
            }
            len -= l;
        }
        if (!chained) {
            return NVME_SUCCESS;
        }
        list = n->prp_list[entries];
    }
}

/* Fills n->sg with the runs of the command's data buffer of @len bytes. */
static uint16_t prp_walk(NvmeRequest *req, uint64_t len)
{
    NvmeCtrl *n = req->n;
    const NvmeCmd *cmd = nvme_cmd(req);
    uint64_t page = n->page_size;
    uint64_t first = MIN(len, page - (cmd->prp1 & (page - 1)));

    n->nsg = 0;
    if (cmd->prp1 & 3) {
        return nvme_error(req, NVME_INVALID_PRP_OFFSET, NVME_AT(prp1, 0));
    }
    if (!sg_add(n, cmd->prp1, first)) {
        return NVME_INTERNAL_DEV_ERROR;
    }
    len -= first;
    if (len == 0) {
        return NVME_SUCCESS;
    }
    if (len > page) {
        return prp_list_walk(req, cmd->prp2, len);
    }
    if (cmd->prp2 & (page - 1)) {
        return nvme_error(req, NVME_INVALID_PRP_OFFSET, NVME_AT(prp2, 0));
    }
    return sg_add(n, cmd->prp2, len) ? NVME_SUCCESS : NVME_INTERNAL_DEV_ERROR;
}

/* -- Runs -> host memory --------------------------------------------------- */

static uint16_t sg_copy(NvmeCtrl *n, const NvmeSg *sg, unsigned nsg, void *buf,
                        uint64_t len, bool to_guest)
{
    uint8_t *p = buf;
    unsigned i;

    for (i = 0; i < nsg && len; i++) {
        uint64_t l = MIN(len, sg[i].len);

        if (pci_dma_rw(&n->parent_obj, sg[i].addr, p, l, to_guest)
            != MEMTX_OK) {
            return NVME_DATA_TRAS_ERROR | NVME_DNR;
        }
        p += l;
        len -= l;
    }
    return NVME_SUCCESS;
}

/* Keeps the reference that came with a mapping, once a block. */
static bool keep_block(NvmeData *d, RAMBlock *block)
{
    unsigned i;

    for (i = 0; i < d->nblock; i++) {
        if (d->block[i] == block) {
            address_space_unmap(block);
            return true;
        }
    }
    if (d->nblock == NVME_BLOCKS) {
        address_space_unmap(block);
        return false;
    }
    d->block[d->nblock++] = block;
    return true;
}

static bool iov_add(NvmeCtrl *n, NvmeData *d, uint8_t *host, uint64_t len)
{
    struct iovec *last = d->niov ? &d->iov[d->niov - 1] : NULL;

    if (last && (uint8_t *)last->iov_base + last->iov_len == host) {
        last->iov_len += len;
        return true;
    }
    if (d->niov == n->iov_max) {
        return false;
    }
    d->iov[d->niov++] = (struct iovec){ host, len };
    return true;
}

static void release_blocks(NvmeData *d)
{
    while (d->nblock) {
        address_space_unmap(d->block[--d->nblock]);
    }
}

/* All runs as RAM in place; false: not possible. */
static bool map_runs(NvmeCtrl *n, NvmeData *d, bool to_guest)
{
    unsigned i;

    d->niov = 0;
    for (i = 0; i < n->nsg; i++) {
        NvmeSg sg = n->sg[i];

        while (sg.len) {
            uint64_t l = sg.len;
            RAMBlock *block;
            uint8_t *host = pci_dma_map(&n->parent_obj, sg.addr, &l, to_guest,
                                        &block);

            if (!host || !keep_block(d, block) || !iov_add(n, d, host, l)) {
                release_blocks(d);
                return false;
            }
            sg.addr += l;
            sg.len -= l;
        }
    }
    return true;
}

uint16_t nvme_data_map(NvmeRequest *req, uint64_t len, bool to_guest)
{
    NvmeCtrl *n = req->n;
    NvmeData *d = &req->data;
    uint16_t status = prp_walk(req, len);

    if (status || map_runs(n, d, to_guest)) {
        return status;
    }
    if (!nvme_buffer_alloc(n, &d->bounce, len)) {
        return NVME_INTERNAL_DEV_ERROR;
    }
    if (to_guest) {
        d->nsg = n->nsg;
        d->sg = g_try_new(NvmeSg, n->nsg);
        if (d->sg) {
            memcpy(d->sg, n->sg, n->nsg * sizeof(*d->sg));
        } else {
            status = NVME_INTERNAL_DEV_ERROR;
        }
    } else {
        status = sg_copy(n, n->sg, n->nsg, d->bounce.iov_base, len, false);
    }
    d->iov[0] = d->bounce;
    d->niov = 1;
    if (status) {
        nvme_data_unmap(req, false);
    }
    return status;
}

uint16_t nvme_data_unmap(NvmeRequest *req, bool copy)
{
    NvmeCtrl *n = req->n;
    NvmeData *d = &req->data;
    uint16_t status = NVME_SUCCESS;

    release_blocks(d);
    if (d->bounce.iov_base) {
        if (copy && d->sg) {
            status = sg_copy(n, d->sg, d->nsg, d->bounce.iov_base,
                             d->bounce.iov_len, true);
        }
        nvme_buffer_free(n, &d->bounce);
        g_clear_pointer(&d->sg, g_free);
    }
    d->niov = 0;
    return status;
}

uint16_t nvme_data_to_guest(NvmeRequest *req, const void *buf, uint64_t len)
{
    uint16_t status = prp_walk(req, len);

    return status ? status : sg_copy(req->n, req->n->sg, req->n->nsg,
                                     (void *)buf, len, true);
}

uint16_t nvme_data_from_guest(NvmeRequest *req, void *buf, uint64_t len)
{
    uint16_t status = prp_walk(req, len);

    return status ? status : sg_copy(req->n, req->n->sg, req->n->nsg, buf, len,
                                     false);
}
