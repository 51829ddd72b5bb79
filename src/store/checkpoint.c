/* Checkpoints: one file for each launch, slots of equal size.

     page 0     head: whose file this is, how many slots
     then       index: the runs of the slots that were taken over, ascending, and their shares
     then       slots: two for each rank, written in turn; those taken over, only read
     slot       page with a slot_head, then the payload

   A head is worth what its checksum says.  No length is believed that the file has no room for. */

#include "lock.h"
#include "room.h"
#include <errno.h>
#include <fcntl.h>
#include <infoplane/store.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

enum { PAGE = 4096, CHUNK = 1 << 20 };
static const uint64_t file_magic =
    0x31746b63706e6669; /* "ifnpckt1" where bytes are little-endian */
static const uint64_t slot_magic = 0x31746f6c736e6669;

typedef struct {
  uint64_t magic, plan, token;
  uint64_t payload;  /* bytes that a slot has room for */
  uint64_t own;      /* slots of this launch's ranks   */
  uint64_t taken;    /* slots taken over               */
  uint64_t checksum; /* of all before, and the index   */
} head;

typedef struct {
  uint64_t run;
  double share; /* of its cost that is done */
} entry;

typedef struct {
  uint64_t magic, plan, run, generation, length;
  double share;
  uint64_t checksum; /* of the payload, then all before */
} slot_head;

struct ip_checkpoints {
  char *path;   /* of the results file */
  ip_text file; /* of the checkpoints  */
  uint64_t token;
  int rank, fd;
  head head;
  entry *index;        /* shape (taken)                     */
  uint64_t run;        /* of the last save                  */
  uint64_t generation; /* of it                             */
  int turn;            /* which of the two slots comes next */
};

/* ---- where things are ------------------------------------------------------------------------------ */

static uint64_t whole_pages(uint64_t bytes)
{
  return (bytes + PAGE - 1) / PAGE * PAGE;
}

static uint64_t slot_bytes(uint64_t payload)
{
  return PAGE + whole_pages(payload);
}

static uint64_t slot_offset(const head *h, uint64_t slot)
{
  return PAGE + whole_pages(h->taken * sizeof(entry)) + slot * slot_bytes(h->payload);
}

static uint64_t file_bytes(const head *h)
{
  return slot_offset(h, h->own + h->taken);
}

uint64_t ip_checkpoints_size(const ip_plan *plan, int ranks)
{
  return file_bytes(&(head){.payload = ip_checkpoint_bytes(plan), .own = 2 * (uint64_t)ranks});
}

static PetscErrorCode name_file(const char *path, ip_text *name)
{
  return ip_text_add(name, "%s.ckpt", path);
}

/* What a checkpoint must have in common with this study: all that its numbers depend on. */
static PetscErrorCode hash_plan(const ip_checkpoints_of *of, uint64_t *hash)
{
  const ip_data *data = of->plan->data;
  ip_text text = {0};
  PetscErrorCode code = ip_options_config(of->plan->options, &text);

  for (size_t i = 0; i < data->n && !code; i++)
    code = ip_text_add(&text, "%016llx\n", (unsigned long long)data->checksum[i]);
  if (!code) code = ip_text_add(&text, "%s\n", of->build);
  if (!code) *hash = XXH3_64bits(text.text, text.length);
  ip_text_clear(&text);
  return code;
}

/* ---- heads ------------------------------------------------------------------------------------------- */

static uint64_t checksum_of(const head *h, const entry index[])
{
  const uint64_t part[2] = {XXH3_64bits(h, offsetof(head, checksum)),
                            XXH3_64bits(index, h->taken * sizeof *index)};

  return XXH3_64bits(part, sizeof part);
}

/* Head and index of an open file; *fits = false: ours, but damaged, so that nothing in it counts. */
static PetscErrorCode read_head(int fd, const char *name, head *h, entry **index, bool *fits)
{
  struct stat about;

  *fits = false;
  IP_CHECK(fstat(fd, &about) == 0, IP_ERR_IO, "%s: %s", name, strerror(errno));
  IP_CHECK(S_ISREG(about.st_mode) && about.st_size >= PAGE, IP_ERR_DATA,
           "%s is no file of checkpoints: move it away", name);
  PetscCall(ip_file_read(fd, name, h, sizeof *h, 0));
  IP_CHECK(h->magic == file_magic, IP_ERR_DATA, "%s is no file of checkpoints: move it away",
           name);

  const uint64_t size = (uint64_t)about.st_size, slots = h->own + h->taken;

  if (h->own > size / PAGE || h->taken > size / PAGE) return PETSC_SUCCESS;
  if (slots > 0 && (h->payload > size || slots > size / slot_bytes(h->payload)))
    return PETSC_SUCCESS;
  if (file_bytes(h) > size) return PETSC_SUCCESS;
  PetscCall(IP_ALLOCATE(h->taken, index));
  PetscCall(ip_file_read(fd, name, *index, h->taken * sizeof **index, PAGE));
  *fits = checksum_of(h, *index) == h->checksum;
  return PETSC_SUCCESS;
}

static uint64_t seal(XXH3_state_t *hash, const slot_head *s)
{
  XXH3_64bits_update(hash, s, offsetof(slot_head, checksum));
  return XXH3_64bits_digest(hash);
}

/* The head of a slot, and whether it may be one: the payload is not read yet. */
static PetscErrorCode read_slot_head(int fd, const char *name, const head *h, uint64_t slot,
                                     slot_head *s)
{
  PetscCall(ip_file_read(fd, name, s, sizeof *s, slot_offset(h, slot)));
  if (s->magic != slot_magic || s->plan != h->plan || s->length > h->payload)
    *s = (slot_head){0};
  return PETSC_SUCCESS;
}

/* ---- taking over what an earlier launch left ----------------------------------------------------------- */

/* The best checkpoint of a run. */
typedef struct {
  uint64_t slot, generation; /* generation 0: there is none */
  double share;
} candidate;

typedef struct {
  int fd; /* -1: no file, or nothing in it counts */
  ip_text name;
  head head;
  entry *index;
  candidate *best; /* shape (n_runs) */
} heritage;

/* Where a slot is copied to. */
typedef struct {
  int fd;
  const char *name;
  uint64_t at;
} place_for;

/* Read a slot in chunks, prove it, and write it where it shall be copied (to may be NULL). */
static PetscErrorCode pass_slot(const heritage *from, uint64_t slot, const place_for *to,
                                bool *fits)
{
  const uint64_t offset = slot_offset(&from->head, slot);
  XXH3_state_t *hash = XXH3_createState();
  char *chunk = NULL;
  slot_head s;
  PetscErrorCode code = IP_ALLOCATE(CHUNK, &chunk);

  if (!code && !hash)
    code = ip_error_raise(IP_ERR_INTERNAL, __func__, "no memory left for a checksum");
  if (!code) code = read_slot_head(from->fd, from->name.text, &from->head, slot, &s);
  if (!code) XXH3_64bits_reset(hash);
  for (uint64_t done = 0; !code && done < s.length; done += CHUNK) {
    const size_t n = s.length - done < CHUNK ? (size_t)(s.length - done) : CHUNK;

    code = ip_file_read(from->fd, from->name.text, chunk, n, offset + PAGE + done);
    if (!code) XXH3_64bits_update(hash, chunk, n);
    if (!code && to) code = ip_file_write(to->fd, to->name, chunk, n, to->at + PAGE + done);
  }
  if (!code) *fits = s.magic == slot_magic && seal(hash, &s) == s.checksum;
  if (!code && to) code = ip_file_write(to->fd, to->name, &s, sizeof s, to->at);
  XXH3_freeState(hash);
  ip_release(&chunk);
  return code;
}

static PetscErrorCode consider(heritage *from, uint64_t slot, const ip_plan *plan,
                               const int8_t status[])
{
  slot_head s;
  bool fits = false;

  PetscCall(read_slot_head(from->fd, from->name.text, &from->head, slot, &s));
  if (s.generation == 0 || s.run >= plan->n_runs || status[s.run] == IP_STATUS_DONE ||
      status[s.run] == IP_STATUS_DIVERGED || s.generation <= from->best[s.run].generation)
    return PETSC_SUCCESS;
  PetscCall(pass_slot(from, slot, NULL, &fits));
  if (fits) from->best[s.run] = (candidate){slot, s.generation, s.share};
  return PETSC_SUCCESS;
}

/* The file of the launch before, if it is of this study and build. */
static PetscErrorCode inherit(const ip_checkpoints_of *of, uint64_t plan, const int8_t status[],
                              heritage *from)
{
  bool fits = false;

  PetscCall(name_file(of->path, &from->name));
  PetscCall(IP_ALLOCATE(of->plan->n_runs, &from->best));
  from->fd = ip_file_open(from->name.text, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  if (from->fd < 0 && errno == ENOENT) return PETSC_SUCCESS;
  IP_CHECK(from->fd >= 0, IP_ERR_IO, "%s: %s", from->name.text, strerror(errno));
  PetscCall(read_head(from->fd, from->name.text, &from->head, &from->index, &fits));
  if (!fits || from->head.plan != plan) return PETSC_SUCCESS;
  for (uint64_t slot = 0; slot < from->head.own + from->head.taken; slot++)
    PetscCall(consider(from, slot, of->plan, status));
  return PETSC_SUCCESS;
}

static void disinherit(heritage *from)
{
  if (from->fd >= 0) close(from->fd);
  ip_text_clear(&from->name);
  ip_release(&from->index);
  ip_release(&from->best);
}

/* ---- a new file -------------------------------------------------------------------------------------------- */

static PetscErrorCode reserve(int fd, const char *name, uint64_t bytes)
{
  int error;

  do error = posix_fallocate(fd, 0, (off_t)bytes);
  while (error == EINTR);
  IP_CHECK(!error, IP_ERR_IO,
           "%s: no room for %llu bytes of checkpoints: %s (checkpoint=none does without)", name,
           (unsigned long long)bytes, strerror(error));
  return PETSC_SUCCESS;
}

static PetscErrorCode copy_slots(const heritage *from, const head *h, const entry index[],
                                 place_for to)
{
  bool fits = false;

  for (uint64_t i = 0; i < h->taken; i++) {
    to.at = slot_offset(h, h->own + i);
    PetscCall(pass_slot(from, from->best[index[i].run].slot, &to, &fits));
    IP_CHECK(fits, IP_ERR_IO, "%s changed while it was read: another job may be writing it",
             from->name.text);
  }
  return PETSC_SUCCESS;
}

static PetscErrorCode fill(int fd, const char *name, head *h, const entry index[],
                           const heritage *from)
{
  PetscCall(reserve(fd, name, file_bytes(h)));
  h->checksum = checksum_of(h, index);
  PetscCall(copy_slots(from, h, index, (place_for){.fd = fd, .name = name}));
  PetscCall(ip_file_write(fd, name, index, h->taken * sizeof *index, PAGE));
  PetscCall(ip_file_write(fd, name, h, sizeof *h, 0));
  return ip_file_sync(fd, name);
}

static PetscErrorCode list_taken(const ip_plan *plan, const heritage *from, head *h,
                                 entry **index)
{
  for (size_t run = 0; run < plan->n_runs; run++)
    h->taken += (uint64_t)(from->best[run].generation > 0);
  PetscCall(IP_ALLOCATE(h->taken, index));
  for (size_t run = 0, i = 0; run < plan->n_runs; run++)
    if (from->best[run].generation > 0)
      (*index)[i++] = (entry){.run = run, .share = from->best[run].share};
  return PETSC_SUCCESS;
}

static PetscErrorCode make(const char *name, head *h, const entry index[], const heritage *from)
{
  ip_text partial = {0};
  int fd = -1;

  PetscCall(room_check(name, file_bytes(h), 0));
  PetscCall(ip_text_add(&partial, "%s.partial", name));
  if (unlink(partial.text) == 0 || errno == ENOENT)
    fd = ip_file_open(partial.text, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW);

  PetscErrorCode code =
      fd >= 0 ? fill(fd, partial.text, h, index, from)
              : ip_error_raise(IP_ERR_CREATE, __func__, "%s cannot be created: %s",
                               partial.text, strerror(errno));

  if (!code) code = ip_file_publish(partial.text, name, true);
  if (code && fd >= 0) unlink(partial.text);
  if (fd >= 0) close(fd);
  ip_text_clear(&partial);
  return code;
}

PetscErrorCode ip_checkpoints_prepare(const ip_checkpoints_of *of, const int8_t status[],
                                      size_t *taken)
{
  heritage from = {.fd = -1};
  head h = {.magic = file_magic,
            .token = of->token,
            .payload = ip_checkpoint_bytes(of->plan),
            .own = 2 * (uint64_t)of->ranks};
  entry *index = NULL;
  PetscErrorCode code = hash_plan(of, &h.plan);

  if (!code) code = inherit(of, h.plan, status, &from);
  if (!code) code = list_taken(of->plan, &from, &h, &index);
  if (!code) code = make(from.name.text, &h, index, &from);
  if (!code) *taken = h.taken;
  ip_release(&index);
  disinherit(&from);
  return code;
}

PetscErrorCode ip_checkpoints_remove(const char *path)
{
  ip_text name = {0};

  PetscCall(name_file(path, &name));
  const bool gone = unlink(name.text) == 0 || errno == ENOENT;
  const PetscErrorCode code =
      gone ? PETSC_SUCCESS
           : ip_error_raise(IP_ERR_IO, __func__, "%s cannot be removed: %s", name.text,
                            strerror(errno));

  ip_text_clear(&name);
  return code;
}

/* ---- on every rank --------------------------------------------------------------------------------------------- */

static PetscErrorCode open_file(const ip_checkpoints_of *of, ip_checkpoints *c)
{
  uint64_t plan = 0;
  bool fits = false;

  PetscCall(ip_text_copy(of->path, &c->path));
  PetscCall(name_file(of->path, &c->file));
  PetscCall(hash_plan(of, &plan));
  c->fd = ip_file_open(c->file.text, O_RDWR | O_NOFOLLOW);
  IP_CHECK(c->fd >= 0, IP_ERR_IO, "%s: %s", c->file.text, strerror(errno));
  PetscCall(read_head(c->fd, c->file.text, &c->head, &c->index, &fits));
  IP_CHECK(fits && c->head.plan == plan && c->head.token == of->token, IP_ERR_IO,
           "%s is not the file that rank 0 has just made: the file system shows an old one",
           c->file.text);
  return PETSC_SUCCESS;
}

PetscErrorCode ip_checkpoints_open(const ip_checkpoints_of *of, ip_checkpoints **checkpoints)
{
  ip_checkpoints *c = NULL;

  PetscCall(IP_ALLOCATE(1, &c));
  c->fd = -1;
  c->token = of->token;
  c->rank = of->rank;

  const PetscErrorCode code = open_file(of, c);

  if (code)
    ip_checkpoints_close(&c);
  else
    *checkpoints = c;
  return code;
}

void ip_checkpoints_close(ip_checkpoints **checkpoints)
{
  ip_checkpoints *c = *checkpoints;

  if (!c) return;
  if (c->fd >= 0) close(c->fd);
  ip_release(&c->path);
  ip_text_clear(&c->file);
  ip_release(&c->index);
  ip_release(checkpoints);
}

static int by_run(const void *key, const void *element)
{
  const uint64_t run = *(const uint64_t *)key, other = ((const entry *)element)->run;

  return (run > other) - (run < other);
}

/* The slot that was taken over for a run; *slot untouched: there is none. */
static const entry *find(const ip_checkpoints *c, uint64_t run)
{
  return c->head.taken > 0 ? bsearch(&run, c->index, c->head.taken, sizeof *c->index, by_run)
                           : NULL;
}

double ip_checkpoints_share(void *context, size_t run)
{
  const entry *e = find(context, run);

  return e ? e->share : 0.0;
}

static uint64_t bytes_of(const ip_checkpoint *checkpoint)
{
  uint64_t bytes = 0;

  for (size_t i = 0; i < checkpoint->n; i++) bytes += checkpoint->piece[i].bytes;
  return bytes;
}

/* The generation of the checkpoint that this launch began with, so that the next one is newer. */
static PetscErrorCode begin_run(ip_checkpoints *c, uint64_t run)
{
  const entry *e = find(c, run);
  slot_head s = {0};

  if (e)
    PetscCall(read_slot_head(c->fd, c->file.text, &c->head,
                             c->head.own + (uint64_t)(e - c->index), &s));
  c->run = run;
  c->generation = s.generation;
  return PETSC_SUCCESS;
}

static PetscErrorCode write_slot(ip_checkpoints *c, const ip_checkpoint *checkpoint,
                                 XXH3_state_t *hash)
{
  const uint64_t slot = 2 * (uint64_t)c->rank + (uint64_t)c->turn,
                 offset = slot_offset(&c->head, slot);
  const char *name = c->file.text;
  slot_head s = {.magic = slot_magic,
                 .plan = c->head.plan,
                 .run = checkpoint->run,
                 .generation = c->generation + 1,
                 .length = bytes_of(checkpoint),
                 .share = checkpoint->share};
  uint64_t at = offset + PAGE;

  IP_CHECK(s.length <= c->head.payload, IP_ERR_INTERNAL,
           "%s: a checkpoint of %llu bytes, but slots have %llu", name,
           (unsigned long long)s.length, (unsigned long long)c->head.payload);
  for (size_t i = 0; i < checkpoint->n; i++) {
    const ip_piece *piece = &checkpoint->piece[i];

    XXH3_64bits_update(hash, piece->at, piece->bytes);
    PetscCall(ip_file_write(c->fd, name, piece->at, piece->bytes, at));
    at += piece->bytes;
  }
  PetscCall(ip_file_sync(c->fd, name));
  s.checksum = seal(hash, &s);
  PetscCall(ip_file_write(c->fd, name, &s, sizeof s, offset));
  return ip_file_sync(c->fd, name);
}

PetscErrorCode ip_checkpoints_save(void *context, const ip_checkpoint *checkpoint)
{
  ip_checkpoints *c = context;

  if (c->head.own == 0) return PETSC_SUCCESS;
  if (c->token) PetscCall(ip_lock_check(c->path, c->token));
  if (c->generation == 0 || c->run != checkpoint->run) PetscCall(begin_run(c, checkpoint->run));

  XXH3_state_t *hash = XXH3_createState();

  IP_CHECK(hash, IP_ERR_INTERNAL, "no memory left for a checksum");
  XXH3_64bits_reset(hash);
  const PetscErrorCode code = write_slot(c, checkpoint, hash);

  XXH3_freeState(hash);
  PetscCall(code);
  c->generation++;
  c->turn = 1 - c->turn;
  return PETSC_SUCCESS;
}

PetscErrorCode ip_checkpoints_load(void *context, const ip_checkpoint *checkpoint, bool *found)
{
  const ip_checkpoints *c = context;
  const entry *e = find(c, checkpoint->run);
  slot_head s;

  *found = false;
  if (!e) return PETSC_SUCCESS;

  const uint64_t slot = c->head.own + (uint64_t)(e - c->index);
  uint64_t at = slot_offset(&c->head, slot) + PAGE;

  PetscCall(read_slot_head(c->fd, c->file.text, &c->head, slot, &s));
  if (s.run != checkpoint->run || s.length != bytes_of(checkpoint)) return PETSC_SUCCESS;

  XXH3_state_t *hash = XXH3_createState();
  PetscErrorCode code = PETSC_SUCCESS;

  IP_CHECK(hash, IP_ERR_INTERNAL, "no memory left for a checksum");
  XXH3_64bits_reset(hash);
  for (size_t i = 0; i < checkpoint->n && !code; i++) {
    const ip_piece *piece = &checkpoint->piece[i];

    code = ip_file_read(c->fd, c->file.text, piece->at, piece->bytes, at);
    XXH3_64bits_update(hash, piece->at, piece->bytes);
    at += piece->bytes;
  }
  *found = !code && seal(hash, &s) == s.checksum;
  XXH3_freeState(hash);
  return code;
}
