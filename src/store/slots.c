/* The layout of a file of checkpoints: see slots.h. */

#include "slots.h"
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

const uint64_t slots_magic = 0x32746b63706e6669; /* "ifnpckt2" where bytes are little-endian */
const uint64_t slot_magic = 0x32746f6c736e6669;

/* ---- where things are ------------------------------------------------------------------------------ */

static uint64_t whole_pages(uint64_t bytes)
{
  return (bytes + SLOT_PAGE - 1) / SLOT_PAGE * SLOT_PAGE;
}

static uint64_t slot_bytes(uint64_t payload)
{
  return SLOT_PAGE + whole_pages(payload);
}

uint64_t slot_offset(const slots_head *h, uint64_t slot)
{
  return SLOT_PAGE + whole_pages(h->taken * sizeof(slots_entry)) +
         slot * slot_bytes(h->payload);
}

uint64_t slots_file_bytes(const slots_head *h)
{
  return slot_offset(h, h->own + h->taken);
}

uint64_t ip_checkpoints_size(const ip_plan *plan, int ranks)
{
  return slots_file_bytes(
      &(slots_head){.payload = ip_checkpoint_bytes(plan), .own = 2 * (uint64_t)ranks});
}

PetscErrorCode slots_name(const char *path, ip_text *name)
{
  return ip_text_add(name, "%s.ckpt", path);
}

PetscErrorCode slots_describe(const ip_plan *plan, size_t run, ip_text *text)
{
  PetscCall(ip_plan_identity(plan, run, text));
  PetscCall(ip_plan_measures(plan, run, text));
  for (size_t e = 0; e < plan->n_epochs; e++)
    PetscCall(ip_text_add(text, "%d ", (int)plan->epoch[e]));
  for (size_t c = 0; c < plan->n_columns; c++)
    PetscCall(ip_text_add(text, "%s ", plan->column[c].name));
  return ip_text_add(text, "layers %zu, parameters %zu, save %d\n", plan->n_layers,
                     plan->n_parameters, (int)plan->save);
}

PetscErrorCode slots_hash_run(const ip_checkpoints_of *of, size_t run, uint64_t *hash)
{
  ip_text text = {0};
  PetscErrorCode code = slots_describe(of->plan, run, &text);

  if (!code) code = ip_text_add(&text, "%s\n", of->build);
  if (!code) *hash = XXH3_64bits(text.text, text.length);
  ip_text_clear(&text);
  return code;
}

/* ---- heads ------------------------------------------------------------------------------------------- */

uint64_t slots_checksum(const slots_head *h, const slots_entry index[])
{
  const uint64_t part[2] = {XXH3_64bits(h, offsetof(slots_head, checksum)),
                            XXH3_64bits(index, h->taken * sizeof *index)};

  return XXH3_64bits(part, sizeof part);
}

PetscErrorCode slots_read(int fd, const char *name, slots_head *h, slots_entry **index,
                          bool *fits)
{
  struct stat about;

  *fits = false;
  IP_CHECK(fstat(fd, &about) == 0, IP_ERR_IO, "%s: %s", name, strerror(errno));
  IP_CHECK(S_ISREG(about.st_mode) && about.st_size >= SLOT_PAGE, IP_ERR_DATA,
           "%s is no file of checkpoints: move it away", name);
  PetscCall(ip_file_read(fd, name, h, sizeof *h, 0));
  IP_CHECK(h->magic == slots_magic, IP_ERR_DATA, "%s is no file of checkpoints: move it away",
           name);

  const uint64_t size = (uint64_t)about.st_size, slots = h->own + h->taken;

  if (h->own > size / SLOT_PAGE || h->taken > size / SLOT_PAGE) return PETSC_SUCCESS;
  if (slots > 0 && (h->payload > size || slots > size / slot_bytes(h->payload)))
    return PETSC_SUCCESS;
  if (slots_file_bytes(h) > size) return PETSC_SUCCESS;
  PetscCall(IP_ALLOCATE(h->taken, index));
  PetscCall(ip_file_read(fd, name, *index, h->taken * sizeof **index, SLOT_PAGE));
  *fits = slots_checksum(h, *index) == h->checksum;
  return PETSC_SUCCESS;
}

uint64_t slot_seal(XXH3_state_t *hash, const slot_head *s)
{
  XXH3_64bits_update(hash, s, offsetof(slot_head, checksum));
  return XXH3_64bits_digest(hash);
}

PetscErrorCode slot_read_head(int fd, const char *name, const slots_head *h, uint64_t slot,
                              slot_head *s)
{
  PetscCall(ip_file_read(fd, name, s, sizeof *s, slot_offset(h, slot)));
  if (s->magic != slot_magic || s->length > h->payload) *s = (slot_head){0};
  return PETSC_SUCCESS;
}
