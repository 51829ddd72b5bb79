/* Any bytes as FILE.h5.ckpt: refused as strange and left as they are, or taken for what fits.

   64 bytes of input are the beginning of a page each.  Byte 63 asks for checksums that fit, since no
   chance would find them: 1 of the head, 2 of the slots too. */

#include "fuzz.h"
#include <slots.h>

enum { RUNS = 3, CHUNK_OF_PAGE = 64, MOST_PAGES = 40 };

static struct {
  ip_options *options;
  ip_data *data;
  ip_plan *plan;
} s;

static void make_study(void)
{
  static const char yaml[] = "dataset.samples: 16\nnetwork.hidden: [2]\nrepeat: 3\n"
                             "train.epochs: 1\nestimate: [{kind: binning, bins: 8}]\n";

  if (s.plan) return;
  MUST(!ip_options_read("s.yaml", yaml, sizeof yaml - 1, 0, NULL, &s.options));
  MUST(!ip_data_create(s.options, &s.data) && !ip_data_load(s.data));
  MUST(!ip_plan_create(s.options, s.data, &s.plan) && s.plan->n_runs == RUNS);
}

static void seal_slot(uint8_t *file, size_t size, const slots_head *h, uint64_t slot)
{
  const uint64_t at = slot_offset(h, slot);
  slot_head own;
  XXH3_state_t *hash = XXH3_createState();

  MUST(hash && at + SLOT_PAGE <= size);
  memcpy(&own, file + at, sizeof own);
  own.magic = slot_magic;
  if (own.run < RUNS)
    MUST(!slots_hash_run(&(ip_checkpoints_of){.plan = s.plan, .build = "b"}, own.run,
                         &own.what));
  XXH3_64bits_reset(hash);
  if (own.length <= h->payload) XXH3_64bits_update(hash, file + at + SLOT_PAGE, own.length);
  own.checksum = slot_seal(hash, &own);
  memcpy(file + at, &own, sizeof own);
  XXH3_freeState(hash);
}

/* Checksums that fit, where the lengths do. */
static void make_fit(uint8_t *file, size_t size, bool slots)
{
  slots_head h;

  memcpy(&h, file, sizeof h);
  h.magic = slots_magic;
  const bool fits = h.own < MOST_PAGES && h.taken < MOST_PAGES && h.payload <= size &&
                    slots_file_bytes(&h) <= size;

  if (fits) {
    slots_entry index[MOST_PAGES];

    memcpy(index, file + SLOT_PAGE, h.taken * sizeof *index);
    h.checksum = slots_checksum(&h, index);
    for (uint64_t slot = 0; slots && slot < h.own + h.taken; slot++)
      seal_slot(file, size, &h, slot);
  }
  memcpy(file, &h, sizeof h);
}

static void use(const ip_checkpoints_of *of, size_t taken)
{
  static char bytes[1 << 16];
  ip_checkpoints *c = NULL;
  size_t found_all = 0;

  MUST(!ip_checkpoints_open(of, &c));
  for (size_t run = 0; run < RUNS; run++)
    for (size_t length = 0; length < 100; length += 33) {
      const ip_piece piece = {bytes, length};
      const ip_checkpoint checkpoint = {.run = run, .share = 0.5, .n = 1, .piece = &piece};
      bool found = false;

      MUST(!ip_checkpoints_load(c, &checkpoint, &found));
      found_all += found;
      MUST(!ip_checkpoints_save(c, &checkpoint));
    }
  MUST(found_all <= taken);
  ip_checkpoints_close(&c);
}

static void take(const uint8_t *file, size_t size, const char *name, const char *path)
{
  static const int8_t pending[RUNS];
  const ip_checkpoints_of of = {.path = path, .plan = s.plan, .build = "b", .ranks = 1};
  size_t taken = 0;

  write_bytes(name, file, size);
  const PetscErrorCode code = ip_checkpoints_prepare(&of, pending, &taken);

  if (code) {
    MUST(code == IP_ERR_DATA);
    must_hold(name, file, size);
  } else {
    MUST(taken <= RUNS);
    use(&of, taken);
  }
  unlink(name);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
  static uint8_t file[MOST_PAGES * SLOT_PAGE];
  const fuzz_path path = path_of("x.h5"), name = path_of("x.h5.ckpt");
  const size_t pages = (length + CHUNK_OF_PAGE - 1) / CHUNK_OF_PAGE;

  begin();
  make_study();
  if (pages > MOST_PAGES) return 0;
  memset(file, 0, pages * SLOT_PAGE);
  for (size_t i = 0; i < length; i++)
    file[i / CHUNK_OF_PAGE * SLOT_PAGE + i % CHUNK_OF_PAGE] = bytes[i];
  if (length >= CHUNK_OF_PAGE && bytes[CHUNK_OF_PAGE - 1] & 1)
    make_fit(file, pages * SLOT_PAGE, bytes[CHUNK_OF_PAGE - 1] & 2);
  take(file, pages * SLOT_PAGE, name.at, path.at);
  return 0;
}
