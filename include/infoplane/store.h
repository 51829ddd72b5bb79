#pragma once

/** @file
 *  The one shared HDF5 file, which is also netCDF-4.
 *
 *  Rank 0 writes the whole skeleton serially under a temporary name and publishes it by rename;
 *  from then on every rank writes only raw data, independently, each run its own slabs, and seals
 *  a run with a checksum.  A run counts only when its status says so and its checksum fits.
 *  No metadata changes and nothing is collective while networks train, so a kill loses nothing.
 *  Of given activations a row of the plan is one part of the only run; all that is said of runs below
 *  holds of parts then.
 */

#include <infoplane/core.h>
#include <infoplane/study.h>

typedef struct ip_store ip_store;

/** What a launch says of itself, kept in /provenance; texts borrowed. */
typedef struct {
  const char *version, *commit,
      *build;                  /**< build: hash of floors 0 to 2, compiler and flags  */
  const char *launch_json;     /**< libraries, hosts, command line: one JSON object   */
  const char *provenance_yaml; /**< every key and where its value came from           */
  bool reproducible;           /**< leave /timing and /provenance constant            */
  bool accept_build;           /**< continue a file of another build                  */
  uint64_t beside;             /**< bytes that must be free beside a new file          */
} ip_store_origin;

/** Bytes of the file for this plan, within a few per cent.  Serial. */
PetscErrorCode ip_store_size(const ip_plan *plan, uint64_t *bytes);

/** Bytes free where path would stand.  IP_ERR_CREATE: no such folder, not writable. */
PetscErrorCode ip_store_free_space(const char *path, uint64_t *bytes);

/** The folder of path lies on NFS, where neighbors in a page may clobber each other: worth a
 *  warning, costs recomputing. */
bool ip_store_on_nfs(const char *path);

/** Serial, rank 0 only.  Make the file where none stands (IP_ERR_IO: disk full, nothing left
 *  behind), or check that the one that stands belongs to this plan: IP_ERR_CONFIG with the
 *  differences in words, another build; IP_ERR_DATA: not a file of infoplane, newer format,
 *  damaged.  A strange file is never touched.  *created: true if made now. */
PetscErrorCode ip_store_prepare(const char *path, const ip_plan *plan,
                                const ip_store_origin *origin, bool *created);

/** Open for writing runs; the file must be prepared.  Collective: all ranks get a handle, or none.
 *  IP_ERR_CONFIG on all of them: a rank is of another build than rank 0. */
PetscErrorCode ip_store_open(MPI_Comm comm, const char *path, const ip_plan *plan,
                             const ip_store_origin *origin, ip_store **store);
/** Not collective. */
PetscErrorCode ip_store_close(ip_store **store);

/** Write the record's slabs, fdatasync, checksum and status, fdatasync.  An ip_sink: context is
 *  the store.  Independent.  IP_ERR_IO; IP_ERR_LOCKED when the lock is no longer ours. */
PetscErrorCode ip_store_put(void *store, const ip_record *record);

/** Status of a run as the file proves it: pending unless the checksum fits.  Independent. */
PetscErrorCode ip_store_verify(ip_store *store, size_t run, ip_status *status);

/** The same of the row record->run, and what the file holds of it in the record: of a part its own
 *  cells, all others stay.  Independent. */
PetscErrorCode ip_store_get(ip_store *store, ip_record *record, ip_status *status);

/** Status of all runs, each rank verifying its share, and none what it put itself where there is
 *  another.  status: shape (n_runs); *damaged: runs whose status said finished but whose checksum
 *  does not fit.  Collective; when one rank fails all do. */
PetscErrorCode ip_store_verify_all(ip_store *store, int8_t status[], size_t *damaged);

/** The same of the runs put in this launch alone, each by another rank than put it, where there is
 *  one.  status: as rank 0 knows it for the others; the same on every rank afterwards. */
PetscErrorCode ip_store_verify_put(ip_store *store, int8_t status[], size_t *damaged);

/** Write what is known of the launch's end (one JSON value) beside what open wrote of its start:
 *  {"start": ..., "end": ...} in /provenance/launch_json.  Nothing in a reproducible file.
 *  Independent, rank 0. */
PetscErrorCode ip_store_end_launch(ip_store *store, const char *json);

/* ---- checkpoints ------------------------------------------------------------------------------ */

/** `<path>.ckpt`: how far the runs are that are being trained.
 *
 *  Each rank has two slots of its own, written in turn: payload, fdatasync, header with generation
 *  and checksum, fdatasync; so one of them always fits.  Every launch makes a new file, with the
 *  checkpoints of unfinished runs as further slots that are only read, and renames it: a rank left
 *  over from an earlier launch writes into the old one. */
typedef struct ip_checkpoints ip_checkpoints;

/** Whose they are; texts and plan borrowed. */
typedef struct {
  const char *path; /**< of the results file                                        */
  const ip_plan *plan;
  const char *build; /**< runs begun by another build begin anew                     */
  uint64_t token;    /**< of the lock: names the launch; compared before each save   */
  int rank, ranks;   /**< ranks that write, 0: none does, but what there is is read  */
} ip_checkpoints_of;

/** Bytes of the file before anything is taken over from an earlier launch. */
uint64_t ip_checkpoints_size(const ip_plan *plan, int ranks);

/** Serial, rank 0, with the lock held: make this launch's file.  status: shape (n_runs), as proved;
 *  what is done or diverged needs no checkpoint.  *taken: checkpoints taken over.
 *  IP_ERR_IO: no room, nothing is left behind; IP_ERR_DATA: the file that stands is a strange one;
 *  it is not touched. */
PetscErrorCode ip_checkpoints_prepare(const ip_checkpoints_of *of, const int8_t status[],
                                      size_t *taken);

/** Every rank, independently, once rank 0 has prepared it. */
PetscErrorCode ip_checkpoints_open(const ip_checkpoints_of *of, ip_checkpoints **checkpoints);
void ip_checkpoints_close(ip_checkpoints **checkpoints);

/** Remove the file: the sweep is done.  Rank 0. */
PetscErrorCode ip_checkpoints_remove(const char *path);

/** The functions of an ip_keeper; context is the ip_checkpoints.  Save: IP_ERR_IO, IP_ERR_LOCKED. */
PetscErrorCode ip_checkpoints_save(void *context, const ip_checkpoint *checkpoint);
PetscErrorCode ip_checkpoints_load(void *context, const ip_checkpoint *checkpoint, bool *found);
double ip_checkpoints_share(void *context, size_t run);

/** For who only looks, also while a job writes: how many runs have a checkpoint, and which share
 *  of their cost is done, on average; 0 without a file.  status: shape (n_runs), an ip_status; what
 *  is done or diverged needs none.  Serial.  IP_ERR_IO; IP_ERR_DATA: the file is a strange one. */
PetscErrorCode ip_checkpoints_survey(const char *path, size_t n_runs, const int8_t status[],
                                     size_t *kept, double *share);

/* ---- activations ------------------------------------------------------------------------------- */

/** `<path without .h5>.run<number>.activations.h5`: a file for each run whose activations are kept,
 *  which infoplane estimate reads.  It is written as `<name>.partial` and gets its name when it is
 *  whole; its bytes follow from the run alone.  One that stands is left as it is where it has the same
 *  bytes, and is never overwritten. */
typedef struct ip_archives ip_archives;

/** Of a results file that is not there yet: no file of this plan's runs may stand.  IP_ERR_CREATE. */
PetscErrorCode ip_archives_check(const char *path, const ip_plan *plan);

/** token: of the lock, compared before a file gets its name; 0: no lock.  Independent. */
PetscErrorCode ip_archives_create(const char *path, uint64_t token, ip_archives **archives);
void ip_archives_destroy(ip_archives **archives);

/** The functions of an ip_archive; context is the ip_archives. */
PetscErrorCode ip_archives_begin(void *context, const ip_archived *what);
PetscErrorCode ip_archives_put(void *context, size_t look, size_t layer, size_t stride,
                               const float *t);
PetscErrorCode ip_archives_end(void *context, bool whole);

/* ---- runs that were trained before ---------------------------------------------------------------- */

/** A results file whose runs kept the weights of every look, so that they can be measured again. */
typedef struct ip_trained_runs ip_trained_runs;

/** What shall be made of them; texts and plan borrowed. */
typedef struct {
  const char *path;    /**< of the file; it is only read                               */
  const ip_plan *plan; /**< of the same runs and looks, with other columns             */
  const char *build;
  bool accept_build; /**< runs of another build too */
} ip_trained_of;

/** Serial, also while a job writes the file.  IP_ERR_CONFIG: it is of given activations, its data were
 *  others, a run kept no weights of its looks, or it is of another build.  Else as ip_store_check. */
PetscErrorCode ip_trained_open(const ip_trained_of *of, ip_trained_runs **runs);
void ip_trained_close(ip_trained_runs **runs);

/** What the file proves of a run: an ip_status or IP_FOUND_DAMAGED. */
PetscErrorCode ip_trained_prove(ip_trained_runs *runs, size_t run, int8_t *status);

/** The function of an ip_trained; context is the ip_trained_runs.  IP_ERR_IO: the run, which must be
 *  done or diverged, is not proved any more. */
PetscErrorCode ip_trained_get(void *context, ip_record *record);

/* ---- lock ------------------------------------------------------------------------------------ */

/** `<path>.lock`: one job at a time.  Held by rank 0. */
typedef struct ip_lock ip_lock;

/** Take it.  IP_ERR_LOCKED naming host, pid and job of the holder.  Stale locks are taken over:
 *  same host and process gone; another host only when its Slurm job is gone, or when it gave no
 *  heartbeat for ten minutes and break_lock.  patience: seconds to wait for a holder on this
 *  host, as ranks of a killed job live a little longer than it. */
PetscErrorCode ip_lock_take(const char *path, bool break_lock, double patience, ip_lock **lock);
/** Rewrite with a fresh heartbeat and what `status` shows. */
PetscErrorCode ip_lock_beat(ip_lock *lock, const ip_progress *progress, double rate,
                            double seconds_left);
/** 64-bit name of the holding; the store of every rank compares it before each commit. */
uint64_t ip_lock_token(const ip_lock *lock);
/** From now on compare the lock with this token before each put; 0: no lock.  Independent. */
PetscErrorCode ip_store_guard(ip_store *store, uint64_t token);
void ip_lock_release(ip_lock **lock); /**< removes the file if it is still ours */

/** The holder of a lock in words, or "" when nobody holds it. */
PetscErrorCode ip_lock_describe(const char *path, ip_text *words);

/* ---- proof without a plan -------------------------------------------------------------------- */

enum { IP_FOUND_DAMAGED = IP_STATUS_FAILED + 1 }; /**< beside the values of ip_status */

/** What a file proves of itself.  Start with {0}. */
typedef struct {
  size_t n_runs;
  bool parts;      /**< of infoplane estimate: all that is said of runs holds of parts of one */
  int8_t *status;  /**< shape (n_runs): an ip_status that the checksum proves, pending, or
                       IP_FOUND_DAMAGED: neither                                              */
  int32_t *number; /**< shape (n_runs): their numbers in the complete plan                    */
  size_t twice;  /**< runs that several files held equally (of a merge)                      */
  ip_text unfit; /**< names of coordinates and texts that do not agree with `config`        */
} ip_findings;

/** Recompute the checksum of every run.  Serial, without the input and its data files, also while
 *  a job writes: a run that does not fit is looked at again before it counts as damaged.  Not
 *  covered: the bottleneck curve of the data, /timing and /provenance.
 *  Errors as of ip_results_open; IP_ERR_DATA too when no plan can be made from `config`. */
PetscErrorCode ip_store_check(const char *path, ip_findings *found);
void ip_findings_clear(ip_findings *found);

/* ---- files of proven runs ---------------------------------------------------------------------- */

/** Join files of one study, above all its shares, to a new one: equal, but for /timing and
 *  /provenance, to what one job had written.  Serial, without the input and its data.  Every run is
 *  proved as it is copied, and read back.  What no file proves stays pending; *found tells.
 *
 *  IP_ERR_CONFIG: not of one study, of several builds (unless accept_build), some of its runs in none
 *  of the files, or one with different results in two; IP_ERR_LOCKED: a job writes one of them;
 *  IP_ERR_CREATE: out stands; IP_ERR_IO: disk full.  Nothing is left behind then. */
PetscErrorCode ip_store_merge(size_t n, const char *const path[], const char *out,
                              bool accept_build, ip_findings *found);

/** Put a bigger file in the place of this one, with these key=value besides: repeat=N, or any others
 *  of science and layout with which every run of it still exists and measures the same.  Serial,
 *  without the input; only data sets that are new are read.  The old file stays whole until the new
 *  one is complete, proved and on the disk.  *grown = false: it has all of it already.
 *
 *  IP_ERR_CONFIG: runs or checkpoints would be lost, it is a share, or a new data set needs a
 *  bottleneck curve; IP_ERR_LOCKED: a job writes it; IP_ERR_IO: disk full. */
PetscErrorCode ip_store_grow(const char *path, size_t n, const char *const setting[],
                             ip_findings *found, bool *grown);

/** Write a finished file anew with its large arrays chunked, shuffled and deflated, prove every run of
 *  the new one and compare every number with the old one; then give it its name.  out: a name that is
 *  free, or NULL: the place of the old file.  bytes: of the old one, of the new one.  Serial.
 *
 *  A compact file is read, merged and grown as any other, but not continued.
 *
 *  IP_ERR_CONFIG: runs are not finished, or somebody added variables; IP_ERR_DATA: damaged;
 *  IP_ERR_LOCKED: a job writes it; IP_ERR_CREATE: out stands; IP_ERR_IO.  Nothing is left behind. */
PetscErrorCode ip_store_compact(const char *path, const char *out, uint64_t bytes[2]);

/* ---- two files ----------------------------------------------------------------------------------- */

enum { IP_DIFFERENCE_WHERE = 160 };

/** What runs of both recorded differently in one variable. */
typedef struct {
  size_t runs;                     /**< that differ in it; 0: none                     */
  int32_t run;                     /**< number of the first of them                    */
  char where[IP_DIFFERENCE_WHERE]; /**< "column bin30, epoch 25, layer 3": its first cell */
  double a, b;                     /**< what stands there                              */
  double largest; /**< largest absolute difference of all cells; infinite: one has no number */
} ip_field_difference;

/** How two files differ in all but /timing and /provenance.  Lists of runs: numbers in the complete
 *  plan, with spaces between, of the first file where both have them. */
typedef struct {
  ip_text config;     /**< lines as of ip_options_difference: "the file" is the first        */
  bool curves;        /**< bottleneck curves of a data set differ                            */
  size_t compared;    /**< runs that both have finished                                      */
  size_t pending;     /**< runs that neither has finished                                    */
  ip_text runs;       /**< runs that differ in what both measured                            */
  ip_text status;     /**< runs that are finished in one alone, or ended otherwise           */
  ip_text only[2];    /**< runs that the other file does not have                            */
  ip_text damaged[2]; /**< runs that do not fit their checksum, and were not compared        */
  ip_field_difference field[IP_FIELDS];
} ip_difference;

/** Compare run by run, cell by cell, to the last bit.  Runs are the same where their science keys,
 *  seed, replicate and data are; compared are the epochs and columns that both files have.  Serial,
 *  without inputs and data.  Errors as ip_store_check.  *difference unchanged on error. */
PetscErrorCode ip_store_diff(const char *a, const char *b, ip_difference *difference);
bool ip_difference_none(const ip_difference *d);
void ip_difference_clear(ip_difference *d);

/* ---- what is in a file ------------------------------------------------------------------------- */

/** ip_names of all variables that a file may have, axes first. */
const char *ip_variable_name(size_t i);

/** What a variable ("i_xt", "timing/seconds") means, its axes, type, unit, and where it comes from;
 *  IP_TEXT_WIDTH wide.  IP_ERR_USAGE naming the nearest. */
PetscErrorCode ip_variable_explain(const char *name, ip_text *text);

/** Its sentence in one line; NULL past the end. */
const char *ip_variable_sentence(size_t i);

/* ---- reading without a plan ------------------------------------------------------------------ */

/** Results opened for reading: serial, also while a job writes them. */
typedef struct ip_results ip_results;

enum { IP_RESULTS_RANK = 4 }; /**< most axes of a variable */

/** IP_ERR_NO_INPUT: missing; IP_ERR_LOCKED: no permission; IP_ERR_DATA: not a file of infoplane,
 *  of a newer format, damaged. */
PetscErrorCode ip_results_open(const char *path, ip_results **results);
void ip_results_close(ip_results **results);

/** A child process reads what is no number first, because HDF5 crashes on some damaged files:
 *  once for a file that may be anything, before MPI starts and before it is opened.  As
 *  ip_results_open, and IP_ERR_DATA where HDF5 crashes. */
PetscErrorCode ip_results_probe(const char *path);

/** Length of an axis ("run", "column", "epoch", "layer"), 0 if it does not exist. */
size_t ip_results_axis(const ip_results *results, const char *name);

/** Shape of a variable ("i_xt", "timing/seconds"); false if it does not exist, or is damaged: one of
 *  ours always lies along its axes, whose lengths ip_results_axis gives. */
bool ip_results_shape(const ip_results *results, const char *name, size_t *n_axes,
                      size_t length[IP_RESULTS_RANK]);

/** Path of the first variable of ours that is there and damaged so, which `results` owns; NULL: none. */
const char *ip_results_unfit(const ip_results *results);

/** A numeric variable or a block of it as doubles: start and count per axis (n_axes of them);
 *  integers are converted (those above 2^53, as checksums are, lose digits).  IP_ERR_DATA when it
 *  is not there, holds texts, has another number of axes, or ends before the block does. */
PetscErrorCode ip_results_block(const ip_results *results, const char *name, size_t n_axes,
                                const size_t start[], const size_t count[], double value[]);

/** Text number i of a variable of texts ("column", "provenance/launch_json"); release with
 *  ip_release.  IP_ERR_DATA. */
PetscErrorCode ip_results_text(const ip_results *results, const char *name, size_t i,
                               char **text);

/** A text attribute of a group ("provenance": "version") or variable ("activation":
 *  "flag_meanings", the only one that ip_results_probe has read); name NULL: of the file ("config",
 *  "title").  Release with ip_release.  IP_ERR_DATA. */
PetscErrorCode ip_results_attribute(const ip_results *results, const char *name,
                                    const char *attribute, char **text);
