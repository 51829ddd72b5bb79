/* A system and an HDF5 that refuse any one call, or all from one on, while the store works: making,
   recognizing, filling, proving, checking and reading the file, its lock and its checkpoints. */

#include "../study/study.h"
#include "example.h"
#include "folder.h"
#include "lock.h"
#include "refusing.h"
#include <mpi.h>

static const char study_yaml[] =
    "dataset: {name: symmetric, labels: stochastic, samples: 12}\n"
    "network.hidden: [[3], [4, 2]]\n"
    "train: {batch: [4, full], epochs: 2}\n"
    "look: [0, 1, 2]\n"
    "save.weights: looked\n"
    "estimate: [{kind: binning, bins: 30, range: [run, snapshot]}, {kind: kde}]\n";

static study s;

/* Ways to refuse: EINTR asks for another try, the others lead to what else may be done. */
static const refused_how of_system[] = {
    {"EIO",             SYSTEM,  EIO,        ONCE      },
    {"EIO for good",    SYSTEM,  EIO,        ALL       },
    {"EINTR",           WAITING, EINTR,      ONCE      },
    {"ENOENT",          SYSTEM,  ENOENT,     ONCE      },
    {"EEXIST for good", SYSTEM,  EEXIST,     THIS_PLACE},
    {"EACCES",          SYSTEM,  EACCES,     ONCE      },
    {"EPERM for good",  SYSTEM,  EPERM,      ALL       },
    {"ENOSYS",          SYSTEM,  ENOSYS,     ONCE      },
    {"EOPNOTSUPP",      SYSTEM,  EOPNOTSUPP, ONCE      },
    {"EINVAL",          SYSTEM,  EINVAL,     ONCE      },
};
static const refused_how of_hdf5[] = {
    {"HDF5",          HDF5, 0, ONCE},
    {"HDF5 for good", HDF5, 0, ALL },
};
enum { SYSTEMS = sizeof of_system / sizeof of_system[0], HDF5S = 2 };

static void refuse_all(const work *w, const void *context)
{
  refuse_each(w, context, SYSTEMS, of_system);
  refuse_each(w, context, HDF5S, of_hdf5);
}

static void nothing_to_see(const void *context, PetscErrorCode code)
{
  (void)context, (void)code;
}

/* ---- making and recognizing ------------------------------------------------------------------- */

static bool created;

static PetscErrorCode make(const void *path)
{
  created = false;
  return ip_store_prepare(path, s.plan, &example_origin, &created);
}

/* A whole file and success, or no file but an error; that the folder could not be synced is told
   when the name is given already. */
static void see_made(const void *path, PetscErrorCode code)
{
  struct stat about;

  assert_int_equal(created, code == PETSC_SUCCESS);
  assert_true(code != PETSC_SUCCESS || access(path, F_OK) == 0);
  if (stat(path, &about) == 0) same_bytes(path, "whole.h5");
  unlink(path);
  unlink("x.h5.partial");
}

static PetscErrorCode recognize(const void *path)
{
  created = true;
  return ip_store_prepare(path, s.plan, &example_origin, &created);
}

static void see_recognized(const void *path, PetscErrorCode code)
{
  assert_int_equal(created, code != PETSC_SUCCESS);
  same_bytes(path, "whole.h5");
}

static PetscErrorCode ask_for_room(const void *path)
{
  uint64_t bytes = 0;

  (void)ip_store_on_nfs(path);
  PetscCall(ip_store_free_space(path, &bytes));
  return ip_store_size(s.plan, &bytes);
}

static void preparing(void **state)
{
  static const work making = {"a new file", make, see_made},
                    recognizing = {"a file that stands", recognize, see_recognized},
                    room = {"room", ask_for_room, nothing_to_see};

  (void)state;
  OK(make("whole.h5"));
  refuse_all(&making, "x.h5");
  refuse_all(&recognizing, "whole.h5");
  refuse_each(&room, "x.h5", SYSTEMS, of_system);
  unlink("whole.h5");
  assert_false(ip_store_on_nfs("x.h5"));
  on_nfs = true;
  assert_true(ip_store_on_nfs("x.h5"));
  on_nfs = false;
}

/* ---- filling and proving ----------------------------------------------------------------------- */

static ip_record *record;

static PetscErrorCode use(ip_store *store)
{
  int8_t status[8] = {0};
  size_t damaged = 0;
  ip_status one = IP_STATUS_FAILED;

  PetscCall(ip_store_put(store, record));
  PetscCall(ip_store_verify(store, record->run, &one));
  PetscCall(ip_store_verify_put(store, status, &damaged));
  PetscCall(ip_store_verify_all(store, status, &damaged));
  return ip_store_end_launch(store, "{}");
}

static PetscErrorCode fill(const void *path)
{
  ip_store *store = NULL;
  ip_store_origin origin = example_origin;

  origin.reproducible = false;
  PetscCall(ip_store_open(MPI_COMM_SELF, path, s.plan, &origin, &store));
  PetscErrorCode code = use(store);
  const PetscErrorCode closed = ip_store_close(&store);

  return code ? code : closed;
}

/* A run is proved or pending, whatever failed. */
static void see_filled(const void *path, PetscErrorCode code)
{
  ip_findings found = {0};

  OK(ip_store_check(path, &found));
  assert_int_equal(found.status[1], code ? found.status[1] : IP_STATUS_DONE);
  ip_findings_clear(&found);
}

static PetscErrorCode check(const void *path)
{
  ip_findings found = {0};
  const PetscErrorCode code = ip_store_check(path, &found);

  if (!code && refusal.kind != SYSTEM) assert_int_equal(found.n_runs, s.plan->n_runs);
  ip_findings_clear(&found);
  return code;
}

static PetscErrorCode probe(const void *path)
{
  return ip_results_probe(path);
}

/* Texts, numbers, attributes. */
static PetscErrorCode read_some(const ip_results *results, char *text[4])
{
  static const size_t start[] = {1, 0}, count[] = {2, 1};
  double value[2];

  PetscCall(ip_results_text(results, "provenance/launch_json", 0, &text[1]));
  PetscCall(ip_results_text(results, "column", 1, &text[0]));
  PetscCall(ip_results_block(results, "status", 2, start, count, value));
  PetscCall(ip_results_attribute(results, "i_xt", "units", &text[2]));
  PetscCall(ip_results_attribute(results, NULL, "config", &text[3]));
  (void)ip_results_axis(results, "run");
  return PETSC_SUCCESS;
}

static PetscErrorCode look(const void *path)
{
  char *text[4] = {NULL};
  ip_results *results = NULL;

  PetscCall(ip_results_open(path, &results));
  const PetscErrorCode code = read_some(results, text);

  for (int i = 0; i < 4; i++) ip_release(&text[i]);
  ip_results_close(&results);
  return code;
}

static void running(void **state)
{
  static const work filling = {"runs", fill, see_filled},
                    checking = {"check", check, nothing_to_see},
                    probing = {"probe", probe, nothing_to_see},
                    reading = {"results", look, nothing_to_see};

  (void)state;
  OK(make("x.h5"));
  OK(ip_record_create(s.plan, &record));
  example_record(record, 1);
  record->status = IP_STATUS_DONE;
  refuse_all(&filling, "x.h5");
  refuse_all(&checking, "x.h5");
  refuse_each(&probing, "x.h5", HDF5S, of_hdf5);
  refuse_all(&reading, "x.h5");
  ip_record_destroy(&record);
  unlink("x.h5");
}

/* ---- the lock ------------------------------------------------------------------------------------ */

static PetscErrorCode hold(const void *path)
{
  static const ip_progress seen = {.runs = 5, .done = 2};
  ip_lock *lock = NULL;
  ip_text words = {0};

  PetscCall(ip_lock_take(path, true, 0, &lock));
  PetscErrorCode code = ip_lock_beat(lock, &seen, 3.5, 70);

  if (!code) code = ip_lock_check(path, ip_lock_token(lock));
  if (!code) code = ip_lock_describe(path, &words);
  ip_text_clear(&words);
  ip_lock_release(&lock);
  return code;
}

static void leave_file(const char *path, const char *text, mode_t mode)
{
  const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

  assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
  assert_int_equal(fchmod(fd, mode), 0);
  close(fd);
}

/* The lock of a job that Slurm knows no more, and the attempt of another one. */
static void leave_stale(void)
{
  leave_file("x.h5.lock", "token: 1\nhost: elsewhere\npid: 12\njob: 77\n", 0600);
  leave_file("x.h5.lock.00000000000000b2", "host: elsewhere\npid: 12\njob: 77\n", 0600);
}

static void see_free(const void *path, PetscErrorCode code)
{
  (void)path, (void)code;
  remove_ours("");
}

static void see_stale(const void *path, PetscErrorCode code)
{
  see_free(path, code);
  leave_stale();
}

static PetscErrorCode refused(const void *path)
{
  ip_lock *lock = NULL;
  const PetscErrorCode code = ip_lock_take(path, false, 0, &lock);

  assert_true(code && !lock);
  return code == IP_ERR_LOCKED ? PETSC_SUCCESS : code;
}

static ip_lock *ours;

/* Whoever was refused has not taken it. */
static void see_held(const void *path, PetscErrorCode code)
{
  (void)code;
  OK(ip_lock_check(path, ip_lock_token(ours)));
  remove_ours("x.h5.lock");
}

static void locking(void **state)
{
  static const work holding = {"lock", hold, see_free},
                    breaking = {"stale lock", hold, see_stale},
                    waiting = {"lock that is held", refused, see_held};
  char path[4096];

  (void)state;
  refuse_each(&holding, "x.h5", SYSTEMS, of_system);
  snprintf(path, sizeof path, "%s:%s", folder, getenv("PATH"));
  setenv("PATH", path, 1);
  leave_file("squeue", "#!/bin/sh\nexit 0\n", 0755);
  leave_stale();
  refuse_each(&breaking, "x.h5", SYSTEMS, of_system);
  remove_ours("");
  unlink("squeue");
  OK(ip_lock_take("x.h5", false, 0, &ours));
  refuse_each(&waiting, "x.h5", SYSTEMS, of_system);
  ip_lock_release(&ours);
}

/* ---- checkpoints ------------------------------------------------------------------------------- */

static char bytes_of_it[2][100];
static const ip_piece piece[2] = {
    {bytes_of_it[0], 100},
    {bytes_of_it[1], 100}
};
static const ip_checkpoint checkpoint = {.run = 1, .share = 0.5, .n = 2, .piece = piece};
static const int8_t pending[8];

static PetscErrorCode keep(const void *of)
{
  ip_checkpoints *c = NULL;
  bool found = false;
  size_t taken = 0;

  PetscCall(ip_checkpoints_prepare(of, pending, &taken));
  PetscCall(ip_checkpoints_open(of, &c));
  PetscErrorCode code = ip_checkpoints_load(c, &checkpoint, &found);

  if (!code) code = ip_checkpoints_save(c, &checkpoint);
  if (!code) code = ip_checkpoints_save(c, &checkpoint);
  ip_checkpoints_close(&c);
  return code;
}

/* What was saved once is never lost again. */
static void see_kept(const void *of, PetscErrorCode code)
{
  size_t taken = 0;

  (void)code;
  OK(ip_checkpoints_prepare(of, pending, &taken));
  assert_int_equal(taken, 1);
}

static PetscErrorCode remove_them(const void *path)
{
  return ip_checkpoints_remove(path);
}

static void see_removed(const void *path, PetscErrorCode code)
{
  (void)path, (void)code;
  unlink("x.h5.ckpt");
  leave_file("x.h5.ckpt", "", 0600);
}

static void keeping(void **state)
{
  static const work keeping_them = {"checkpoints", keep, see_kept},
                    removing = {"their end", remove_them, see_removed};
  const ip_checkpoints_of of = {
      .path = "x.h5", .plan = s.plan, .build = "build-one", .ranks = 1};

  (void)state;
  OK(keep(&of));
  refuse_each(&keeping_them, &of, SYSTEMS, of_system);
  refuse_each(&removing, "x.h5", SYSTEMS, of_system);
  unlink("x.h5.ckpt");
}

static int enter(void **state)
{
  s = study_of(study_yaml);
  return folder_enter(state);
}

static int leave(void **state)
{
  study_clear(&s);
  return folder_leave(state);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(preparing),
      cmocka_unit_test(running),
      cmocka_unit_test(locking),
      cmocka_unit_test(keeping),
  };

  setenv("OMPI_MCA_io", "romio321", 0);
  PetscPushErrorHandler(ip_error_handler, NULL);
  if (PetscInitializeNoArguments()) return 1;
  const int result = cmocka_run_group_tests(tests, enter, leave);

  PetscFinalize();
  return result;
}
