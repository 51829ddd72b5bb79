/* Proven runs of some files, copied into a new file of a plan.

       survey every source   which runs it has, and that no two contradict each other
       copy, source by source   prove, put where the new plan has it, seal
       read back, sync, give the file its name

   One source is open at a time, so thousands of shares need no more memory or descriptors than one. */

#include "gather.h"
#include "builds.h"
#include "move.h"
#include "seal.h"
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

enum { MOST_NAMED = 20 };

/* ---- where runs go ------------------------------------------------------------------------------- */

static int by_identity(const void *a, const void *b)
{
  const uint64_t left = ((const place_of *)a)->identity,
                 right = ((const place_of *)b)->identity;

  return (left > right) - (left < right);
}

static PetscErrorCode hash_identity(const ip_plan *plan, size_t run, uint64_t *hash)
{
  ip_text text = {0};
  const PetscErrorCode code = ip_plan_identity(plan, run, &text);

  if (!code) *hash = XXH3_64bits(text.text, text.length);
  ip_text_clear(&text);
  return code;
}

PetscErrorCode gather_begin(gather *g)
{
  const ip_plan *plan = g->target->plan;

  g->reproducible = true;
  PetscCall(IP_ALLOCATE(plan->n_runs, &g->claim));
  PetscCall(IP_ALLOCATE(plan->n_runs, &g->place));
  for (size_t r = 0; r < plan->n_runs; r++) {
    g->claim[r].source = -1;
    g->place[r].row = (int32_t)r;
    PetscCall(hash_identity(plan, r, &g->place[r].identity));
  }
  qsort(g->place, plan->n_runs, sizeof *g->place, by_identity);
  return PETSC_SUCCESS;
}

void gather_clear(gather *g)
{
  ip_release(&g->version);
  ip_release(&g->commit);
  ip_release(&g->build_of);
  ip_release(&g->claim);
  ip_release(&g->place);
}

/* Both plans measure the same of it. */
static PetscErrorCode measures_same(const ip_plan *plan, size_t run, const ip_plan *other,
                                    size_t other_run, bool *same)
{
  ip_text one = {0}, two = {0};
  PetscErrorCode code = ip_plan_measures(plan, run, &one);

  if (!code) code = ip_plan_measures(other, other_run, &two);
  if (!code) *same = strcmp(one.text, two.text) == 0;
  ip_text_clear(&one);
  ip_text_clear(&two);
  return code;
}

/* A list of runs by their number, cut off after some. */
typedef struct {
  size_t n;
  ip_text text;
} names;

static PetscErrorCode add_name(names *list, int32_t number)
{
  if (list->n++ >= MOST_NAMED) return PETSC_SUCCESS;
  return ip_text_add(&list->text, " %d", (int)number);
}

static PetscErrorCode place_one(const gather *g, const ledger *l, size_t run, int32_t *row,
                                names *gone, names *other)
{
  const ip_plan *plan = l->plan, *target = g->target->plan;
  place_of key = {0};
  bool same = false;

  PetscCall(hash_identity(plan, run, &key.identity));
  const place_of *found =
      bsearch(&key, g->place, target->n_runs, sizeof *g->place, by_identity);

  *row = found ? found->row : -1;
  if (!found) return add_name(gone, plan->run[run].number);
  PetscCall(measures_same(plan, run, target, (size_t)found->row, &same));
  return same ? PETSC_SUCCESS : add_name(other, plan->run[run].number);
}

static PetscErrorCode refuse_loss(const ledger *l, const names *lost, const char *how)
{
  IP_CHECK(lost->n == 0, IP_ERR_CONFIG,
           "%s: %zu of its %zu runs %s:%s%s; a new output file is the place for that", l->path,
           lost->n, l->plan->n_runs, how, lost->text.text, lost->n > MOST_NAMED ? " ..." : "");
  return PETSC_SUCCESS;
}

PetscErrorCode gather_place(const gather *g, const ledger *l, int32_t row[])
{
  names gone = {0}, other = {0};
  PetscErrorCode code = PETSC_SUCCESS;

  for (size_t r = 0; r < l->plan->n_runs && !code; r++)
    code = place_one(g, l, r, &row[r], &gone, &other);
  if (!code) code = refuse_loss(l, &gone, "would be lost");
  if (!code)
    code = refuse_loss(l, &other,
                       "would be measured or kept otherwise (look, estimate, gradient_batch, "
                       "save)");
  ip_text_clear(&gone.text);
  ip_text_clear(&other.text);
  return code;
}

/* ---- what a source has ---------------------------------------------------------------------------- */

static PetscErrorCode learn_build(gather *g, const char *path, const char *build)
{
  for (int i = 0; i < g->builds; i++)
    if (strcmp(g->build[i], build) == 0) return PETSC_SUCCESS;
  IP_CHECK(
      g->builds == 0 || g->accept_build, IP_ERR_CONFIG,
      "%s has runs of another build of infoplane (%s; %s has %s), whose numbers may differ "
      "in the last bits: accept_build=yes takes them all the same",
      path, build, g->path[0], g->build[0]);
  IP_CHECK(
      g->builds < IP_LAYOUT_BUILDS, IP_ERR_CONFIG,
      "%s: together the files are of more than %d builds of infoplane, which is all that a "
      "file can name",
      path, IP_LAYOUT_BUILDS);
  snprintf(g->build[g->builds++], IP_LAYOUT_BUILD + 1, "%s", build);
  return PETSC_SUCCESS;
}

static PetscErrorCode read_builds(const ledger *l,
                                  char build[IP_LAYOUT_BUILDS][IP_LAYOUT_BUILD])
{
  const ip_cells cells = {
      .n_axes = 2, .count = {IP_LAYOUT_BUILDS, IP_LAYOUT_BUILD}
  };
  hid_t array = -1;

  PetscCall(ip_h5_open_array(l->file, l->path, "provenance/build_text", &array));
  const PetscErrorCode code = ip_h5_read(array, H5T_NATIVE_UINT8, &cells, build);

  ip_h5_close(array);
  return code;
}

static PetscErrorCode learn_builds(gather *g, const ledger *l)
{
  char row[IP_LAYOUT_BUILDS][IP_LAYOUT_BUILD], build[IP_LAYOUT_BUILD + 1] = "";

  PetscCall(read_builds(l, row));
  for (int i = 0; i < IP_LAYOUT_BUILDS && row[i][0]; i++) {
    memcpy(build, row[i], IP_LAYOUT_BUILD);
    PetscCall(learn_build(g, l->path, build));
  }
  return PETSC_SUCCESS;
}

/* The new file was made by whom the first source was. */
static PetscErrorCode learn_origin(gather *g, const ledger *l)
{
  const hid_t group = H5Gopen2(l->file, "provenance", H5P_DEFAULT);
  PetscErrorCode code =
      IP_H5(group, IP_ERR_DATA, "%s: cannot open the group provenance", l->path);
  const htri_t resolved = code ? 0 : H5Aexists(group, "resolved");

  if (!code) code = IP_H5(resolved, IP_ERR_DATA, "%s: cannot read provenance", l->path);
  if (resolved > 0) g->reproducible = false;
  if (!code && !g->version) {
    code = ip_h5_read_text(group, "version", &g->version);
    if (!code) code = ip_h5_read_text(group, "commit", &g->commit);
    if (!code) code = ip_h5_read_text(group, "build", &g->build_of);
  }
  ip_h5_close(group);
  return code;
}

/* Status and checksum of every run, as the file says. */
static PetscErrorCode read_seals(const ledger *l, int8_t status[], uint64_t sum[])
{
  const ip_cells cells = {
      .n_axes = 2, .count = {l->plan->n_runs, 1}
  };
  ip_seals seals;

  ip_seals_begin(l->plan, &seals);
  PetscErrorCode code = ip_seals_open(l->file, l->path, &seals);

  if (!code) code = ip_h5_read(seals.status, H5T_NATIVE_INT8, &cells, status);
  if (!code) code = ip_h5_read(seals.checksum, H5T_NATIVE_UINT64, &cells, sum);
  ip_seals_close(&seals);
  return code;
}

static bool is_finished(int8_t status)
{
  return status > IP_STATUS_PENDING && status <= IP_STATUS_FAILED;
}

/* A run that failed yields to one that did not; others must agree. */
static PetscErrorCode consider(gather *g, size_t s, int32_t number, const claim *offer,
                               claim *c)
{
  c->listed = true;
  if (!is_finished(offer->status)) return PETSC_SUCCESS;
  const bool better = c->status == IP_STATUS_FAILED && offer->status != IP_STATUS_FAILED;

  if (c->source < 0 || better) {
    c->source = (int32_t)s;
    c->status = offer->status;
    c->sum = offer->sum;
  } else if (c->status == offer->status && c->sum == offer->sum) {
    g->twice++;
  } else {
    IP_CHECK(
        offer->status == IP_STATUS_FAILED, IP_ERR_CONFIG,
        "run %d has one result in %s and another in %s: if infoplane check finds one of the "
        "files damaged leave it out; else they are of different machines or programs",
        (int)number, g->path[c->source], g->path[s]);
  }
  return PETSC_SUCCESS;
}

PetscErrorCode gather_survey(gather *g, size_t s, const ledger *l, int8_t status[])
{
  const size_t n = l->plan->n_runs;
  int32_t *row = NULL;
  int8_t *held = NULL;
  uint64_t *sum = NULL;
  PetscErrorCode code = learn_origin(g, l);

  if (!code) code = learn_builds(g, l);
  if (!code) code = IP_ALLOCATE(n, &row);
  if (!code) code = IP_ALLOCATE(n, &held);
  if (!code) code = IP_ALLOCATE(n, &sum);
  if (!code) code = gather_place(g, l, row);
  if (!code) code = read_seals(l, held, sum);
  for (size_t r = 0; r < n && !code; r++) {
    const claim offer = {.status = held[r], .sum = sum[r]};

    code = consider(g, s, l->plan->run[r].number, &offer, &g->claim[row[r]]);
    if (status) status[r] = held[r];
  }
  ip_release(&row);
  ip_release(&held);
  ip_release(&sum);
  return code;
}

/* ---- copying --------------------------------------------------------------------------------------- */

/* The runs' arrays of a file, sealed and other. */
typedef struct {
  ip_seals seals;
  hid_t seconds, rank, build_index, build_text, launch_json;
} arrays;

static PetscErrorCode open_arrays(hid_t file, const char *path, const ip_plan *plan, arrays *a)
{
  *a = (arrays){
      .seconds = -1, .rank = -1, .build_index = -1, .build_text = -1, .launch_json = -1};
  ip_seals_begin(plan, &a->seals);
  PetscCall(ip_seals_open(file, path, &a->seals));
  PetscCall(ip_h5_open_array(file, path, "timing/seconds", &a->seconds));
  PetscCall(ip_h5_open_array(file, path, "timing/rank", &a->rank));
  PetscCall(ip_h5_open_array(file, path, "provenance/build_index", &a->build_index));
  PetscCall(ip_h5_open_array(file, path, "provenance/build_text", &a->build_text));
  return ip_h5_open_array(file, path, "provenance/launch_json", &a->launch_json);
}

static void close_arrays(arrays *a)
{
  ip_seals_close(&a->seals);
  ip_h5_close(a->seconds);
  ip_h5_close(a->rank);
  ip_h5_close(a->build_index);
  ip_h5_close(a->build_text);
  ip_h5_close(a->launch_json);
}

/* One source on its way into the new file. */
typedef struct {
  gather *g;
  const ledger *from;
  arrays in;
  const arrays *out;
  int8_t build[IP_LAYOUT_BUILDS]; /* of the source -> of the new file */
  mover *mover;
} transfer;

static PetscErrorCode map_builds(transfer *t)
{
  char row[IP_LAYOUT_BUILDS][IP_LAYOUT_BUILD];

  PetscCall(read_builds(t->from, row));
  memset(t->build, -1, sizeof t->build);
  for (int i = 0; i < IP_LAYOUT_BUILDS && row[i][0]; i++)
    for (int k = 0; k < t->g->builds; k++)
      if (strncmp(row[i], t->g->build[k], IP_LAYOUT_BUILD) == 0) t->build[i] = (int8_t)k;
  return PETSC_SUCCESS;
}

/* What is known of a run beside its results. */
static PetscErrorCode copy_timing(const transfer *t, size_t from, size_t to)
{
  const ip_cells source = {.n_axes = 1, .start = {from}, .count = {1}},
                 place = {.n_axes = 1, .start = {to}, .count = {1}};
  double seconds = 0.0;
  int32_t rank = -1;
  int8_t build = -1;

  PetscCall(ip_h5_read(t->in.seconds, H5T_NATIVE_DOUBLE, &source, &seconds));
  PetscCall(ip_h5_read(t->in.rank, H5T_NATIVE_INT32, &source, &rank));
  PetscCall(ip_h5_read(t->in.build_index, H5T_NATIVE_INT8, &source, &build));
  build = (int8_t)(build >= 0 && build < IP_LAYOUT_BUILDS ? t->build[build] : -1);
  PetscCall(ip_h5_write(t->out->seconds, H5T_NATIVE_DOUBLE, &place, &seconds));
  PetscCall(ip_h5_write(t->out->rank, H5T_NATIVE_INT32, &place, &rank));
  return ip_h5_write(t->out->build_index, H5T_NATIVE_INT8, &place, &build);
}

static PetscErrorCode copy_run(const transfer *t, ip_record *read, ip_record *written, claim *c)
{
  ip_status status = IP_STATUS_PENDING;
  bool damaged = false;

  PetscCall(ip_seals_prove(&t->in.seals, read, &status, &damaged));
  c->damaged = status == IP_STATUS_PENDING;
  if (c->damaged) return PETSC_SUCCESS;
  mover_move(t->mover, read, written);
  PetscCall(ip_seals_write(&t->out->seals, written));
  PetscCall(copy_timing(t, read->run, written->run));
  PetscCall(ip_seals_seal(&t->out->seals, written));
  c->copied = true;
  return PETSC_SUCCESS;
}

static PetscErrorCode copy_runs(const transfer *t, const int32_t row[], const int8_t status[],
                                const uint64_t sum[])
{
  ip_record *read = NULL, *written = NULL;
  PetscErrorCode code = ip_record_create(t->from->plan, &read);

  if (!code) code = ip_record_create(t->g->target->plan, &written);
  for (size_t r = 0; r < t->from->plan->n_runs && !code; r++) {
    claim *c = &t->g->claim[row[r]];

    if (c->copied || !is_finished(status[r]) || status[r] != c->status || sum[r] != c->sum)
      continue;
    read->run = r;
    written->run = (size_t)row[r];
    code = copy_run(t, read, written, c);
  }
  ip_record_destroy(&read);
  ip_record_destroy(&written);
  return code;
}

/* The rows of launches in use, after those that the new file has, as far as there is room. */
static PetscErrorCode copy_launches(const transfer *t)
{
  uint8_t row[IP_LAYOUT_LAUNCH];
  ip_cells from =
               {
                   .n_axes = 2, .count = {1, IP_LAYOUT_LAUNCH}
  },
           to = from;

  for (; to.start[0] < IP_LAYOUT_LAUNCHES; to.start[0]++) {
    PetscCall(ip_h5_read(t->out->launch_json, H5T_NATIVE_UINT8, &to, row));
    if (!row[0]) break;
  }
  for (; from.start[0] < IP_LAYOUT_LAUNCHES; from.start[0]++) {
    PetscCall(ip_h5_read(t->in.launch_json, H5T_NATIVE_UINT8, &from, row));
    if (!row[0] || to.start[0] >= IP_LAYOUT_LAUNCHES) break;
    PetscCall(ip_h5_write(t->out->launch_json, H5T_NATIVE_UINT8, &to, row));
    to.start[0]++;
  }
  return PETSC_SUCCESS;
}

static PetscErrorCode transfer_runs(transfer *t)
{
  const size_t n = t->from->plan->n_runs;
  int32_t *row = NULL;
  int8_t *status = NULL;
  uint64_t *sum = NULL;
  PetscErrorCode code = IP_ALLOCATE(n, &row);

  if (!code) code = IP_ALLOCATE(n, &status);
  if (!code) code = IP_ALLOCATE(n, &sum);
  if (!code) code = gather_place(t->g, t->from, row);
  if (!code) code = read_seals(t->from, status, sum);
  if (!code) code = copy_runs(t, row, status, sum);
  ip_release(&row);
  ip_release(&status);
  ip_release(&sum);
  return code;
}

static PetscErrorCode copy_source(gather *g, size_t s, const arrays *out)
{
  ledger from;
  transfer t = {.g = g, .from = &from, .out = out};
  PetscErrorCode code = ledger_open(g->path[s], &from);

  if (code) {
    ledger_close(&from);
    return code;
  }
  code = open_arrays(from.file, from.path, from.plan, &t.in);
  if (!code) code = map_builds(&t);
  if (!code) code = mover_create(from.plan, g->target->plan, &t.mover);
  if (!code) code = transfer_runs(&t);
  if (!code) code = copy_launches(&t);
  mover_destroy(&t.mover);
  close_arrays(&t.in);
  ledger_close(&from);
  return code;
}

/* HDF5 keeps some of what is written until it closes an array, and nobody hears of a close that fails:
   all stay open until the flush. */
static PetscErrorCode copy_all(gather *g, const char *partial)
{
  const hid_t access = ip_h5_access(), file = H5Fopen(partial, H5F_ACC_RDWR, access);
  PetscErrorCode code = IP_H5(file, IP_ERR_IO, "%s cannot be opened again", partial);
  arrays out;

  ip_h5_close(access);
  PetscCall(code);
  code = open_arrays(file, partial, g->target->plan, &out);

  for (int i = 0; i < g->builds && !code; i++)
    code = ip_builds_write(out.build_text, i, g->build[i]);
  for (size_t s = 0; s < g->n && !code; s++) code = copy_source(g, s, &out);
  if (!code)
    code = IP_H5(H5Fflush(file, H5F_SCOPE_LOCAL), IP_ERR_IO, "cannot write %s", partial);
  if (code) ip_h5_divert(file);
  close_arrays(&out);
  if (H5Fclose(file) < 0 && !code) code = ip_h5_raise(IP_ERR_IO, "cannot close %s", partial);
  return code;
}

/* ---- reading back ------------------------------------------------------------------------------------- */

static PetscErrorCode prove_copied(const gather *g, const char *partial, hid_t file)
{
  const ip_plan *plan = g->target->plan;
  ip_record *buffer = NULL;
  ip_seals seals;

  ip_seals_begin(plan, &seals);
  PetscErrorCode code = ip_seals_open(file, partial, &seals);

  if (!code) code = ip_record_create(plan, &buffer);
  for (size_t r = 0; r < plan->n_runs && !code; r++) {
    ip_status status = IP_STATUS_PENDING;
    bool damaged = false;

    if (!g->claim[r].copied) continue;
    buffer->run = r;
    code = ip_seals_prove(&seals, buffer, &status, &damaged);
    if (!code && (int8_t)status != g->claim[r].status)
      code = ip_error_raise(IP_ERR_IO, __func__,
                            "%s: run %zu does not read back as it was written; the disk or the "
                            "file system is damaged",
                            partial, r);
  }
  ip_record_destroy(&buffer);
  ip_seals_close(&seals);
  return code;
}

static PetscErrorCode read_back(const gather *g, const char *partial)
{
  hid_t file = -1;

  PetscCall(ip_h5_open_ours(partial, &file));
  const PetscErrorCode code = prove_copied(g, partial, file);

  ip_h5_close(file);
  return code;
}

static PetscErrorCode sync_partial(const char *partial)
{
  const int fd = ip_file_open(partial, O_RDWR);

  IP_CHECK(fd >= 0, IP_ERR_IO, "%s cannot be opened again", partial);
  const PetscErrorCode code = ip_file_sync(fd, partial);

  close(fd);
  return code;
}

static PetscErrorCode fill(void *context, const char *partial)
{
  gather *g = context;

  PetscCall(copy_all(g, partial));
  PetscCall(sync_partial(partial));
  return read_back(g, partial);
}

static PetscErrorCode write_file(gather *g, const char *path, bool replace)
{
  ip_text resolved = {0};
  PetscErrorCode code = ip_options_provenance(g->target->options, &resolved);

  if (!code) {
    const ip_store_origin origin = {.version = g->version,
                                    .commit = g->commit,
                                    .build = g->build_of,
                                    .provenance_yaml = resolved.text,
                                    .reproducible = g->reproducible};
    const ip_make file = {.path = path,
                          .plan = g->target->plan,
                          .layout = g->target->layout,
                          .origin = &origin,
                          .fill = fill,
                          .context = g,
                          .replace = replace};

    code = ip_make_file(&file);
  }
  ip_text_clear(&resolved);
  return code;
}

/* How the runs of the new file stand. */
static void tell(const gather *g, ip_findings *found)
{
  found->twice = g->twice;
  for (size_t r = 0; r < found->n_runs; r++) {
    const claim *c = &g->claim[r];

    found->status[r] = IP_STATUS_PENDING;
    if (c->damaged) found->status[r] = IP_FOUND_DAMAGED;
    if (c->copied) found->status[r] = c->status;
    found->number[r] = g->target->plan->run[r].number;
  }
}

PetscErrorCode gather_write(gather *g, const char *path, bool replace, ip_findings *found)
{
  ip_findings f = {.n_runs = g->target->plan->n_runs};
  PetscErrorCode code =
      IP_ALLOCATE(f.n_runs, &f.status); /* now: once it stands nothing may fail */

  if (!code) code = IP_ALLOCATE(f.n_runs, &f.number);
  if (!code) code = write_file(g, path, replace);
  if (code) {
    ip_findings_clear(&f);
    return code;
  }
  tell(g, &f);
  *found = f;
  return PETSC_SUCCESS;
}
