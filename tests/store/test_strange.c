/* Files that hold what none of ours does: read as far as that goes, refused in words, never trusted;
   and what `check` makes of damage while a job may be writing. */

#include "../study/study.h"
#include "example.h"
#include "folder.h"
#include "h5.h"
#include <hdf5_hl.h>

static study s;

static int enter(void **state)
{
  s = study_of("dataset: {samples: 16}\nnetwork.hidden: [3]\nlook: [0]\nrepeat: 3\n"
               "estimate: [{kind: binning, bins: 30}]\n");
  return folder_enter(state);
}

static int leave(void **state)
{
  study_clear(&s);
  return folder_leave(state);
}

static void make(void)
{
  bool created;

  OK(ip_store_prepare("x.h5", s.plan, &example_origin, &created));
}

/* The file, open to be changed. */
static hid_t open_to_change(void)
{
  const hid_t access = ip_h5_access(), file = H5Fopen("x.h5", H5F_ACC_RDWR, access);

  ip_h5_close(access);
  assert_true(file >= 0);
  return file;
}

/* ---- attributes ------------------------------------------------------------------------------- */

static void no_attribute(hid_t file, const char *name)
{
  (void)file, (void)name;
}

static void numbers(hid_t file, const char *name)
{
  OK(ip_h5_write_numbers(file, name, IP_INT32, 3, (int32_t[]){1, 1, 1}));
}

static void zero(hid_t file, const char *name)
{
  OK(ip_h5_write_numbers(file, name, IP_INT32, 1, (int32_t[]){0}));
}

static void no_number(hid_t file, const char *name)
{
  OK(ip_h5_write_text(file, name, "1"));
}

static void two_texts(hid_t file, const char *name)
{
  const hid_t type = ip_h5_file_type(IP_TEXT),
              space = H5Screate_simple(1, (hsize_t[]){2}, NULL);

  ip_h5_close(H5Acreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT));
  ip_h5_close(space);
  ip_h5_close(type);
}

/* A text of no bytes: HDF5 gives no address for it. */
static void never_written(hid_t file, const char *name)
{
  const hid_t type = ip_h5_file_type(IP_TEXT), space = H5Screate(H5S_SCALAR);

  ip_h5_close(H5Acreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT));
  ip_h5_close(space);
  ip_h5_close(type);
}

static void attributes(void **state)
{
  static const struct {
    const char *name;
    void (*write)(hid_t file, const char *name);
    const char *says;
  } row[] = {
      {"infoplane_format_version", no_attribute,  "not one of infoplane"        },
      {"infoplane_format_version", numbers,       "not one of infoplane"        },
      {"infoplane_format_version", zero,          "not one of infoplane"        },
      {"infoplane_format_version", no_number,     "not one of infoplane"        },
      {"config",                   no_attribute,  "there is no attribute config"},
      {"config",                   numbers,       "there is no text attribute"  },
      {"config",                   two_texts,     "there is no text attribute"  },
      {"config",                   never_written, "has another shape"           },
  };
  ip_findings found = {0};

  (void)state;
  for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
    make();
    const hid_t file = open_to_change();

    assert_true(H5Adelete(file, row[i].name) >= 0);
    row[i].write(file, row[i].name);
    ip_h5_close(file);
    FAILS(ip_store_check("x.h5", &found), IP_ERR_DATA, row[i].says);
    (void)ip_results_probe("x.h5");
    ip_error_clear();
    unlink("x.h5");
  }
}

/* ---- arrays ----------------------------------------------------------------------------------- */

static hid_t new_array(hid_t file, const char *name, hid_t type, int axes)
{
  static const hsize_t length[] = {2, 1, 1, 1, 1};
  const hid_t space = axes < 0    ? H5Screate(H5S_NULL)
                      : axes == 0 ? H5Screate(H5S_SCALAR)
                                  : H5Screate_simple(axes, length, NULL);
  const hid_t array =
      H5Dcreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);

  ip_h5_close(space);
  assert_true(array >= 0);
  return array;
}

/* Beside what is ours: a number, too many axes, texts that were never written, and of a fixed length. */
static void add_strangers(hid_t file)
{
  const hid_t text = ip_h5_file_type(IP_TEXT), number = H5Tcopy(H5T_STD_I32LE);
  hid_t fixed = H5Tcopy(H5T_C_S1);

  ip_h5_close(new_array(file, "a_number", number, 0));
  ip_h5_close(new_array(file, "axes", number, 5));
  ip_h5_close(new_array(file, "unwritten", text, 1));
  ip_h5_close(new_array(file, "table", text, 2));
  ip_h5_close(new_array(file, "fixed", fixed, 1));
  ip_h5_close(new_array(file, "wide", number, 2));
  ip_h5_close(fixed);
  ip_h5_close(number);
  ip_h5_close(text);
}

static void arrays(void **state)
{
  ip_results *results = NULL;
  char *text = NULL;
  double number = 7;
  size_t axes = 0, length[IP_RESULTS_RANK];

  (void)state;
  make();
  const hid_t file = open_to_change();

  add_strangers(file);
  ip_h5_close(file);
  OK(ip_results_probe("x.h5"));
  OK(ip_results_open("x.h5", &results));
  assert_null(ip_results_unfit(results));
  OK(ip_results_block(results, "a_number", 0, NULL, NULL, &number));
  NEAR(number, 0, 0, "a number without axes");
  assert_false(ip_results_shape(results, "axes", &axes, length));
  OK(ip_results_text(results, "unwritten", 1, &text));
  assert_string_equal(text, "");
  ip_release(&text);
  FAILS(ip_results_text(results, "a_number", 0, &text), IP_ERR_DATA, "no element 0");
  FAILS(ip_results_text(results, "fixed", 0, &text), IP_ERR_DATA, "holds no texts");
  FAILS(ip_results_text(results, "table", 0, &text), IP_ERR_DATA, "holds no texts");
  FAILS(ip_results_text(results, "wide", 0, &text), IP_ERR_DATA, "holds no texts");
  FAILS(ip_results_text(results, "absent", 0, &text), IP_ERR_DATA, "no variable");
  FAILS(ip_results_attribute(results, "absent", "units", &text), IP_ERR_DATA, "no absent");
  ip_results_close(&results);
  unlink("x.h5");
}

/* Ours, but with another shape or without the texts that the plan gives it. */
static void arrays_of_ours(void **state)
{
  static const struct {
    const char *name;
    bool text;
    int axes;
    const char *unfit, *says;
  } row[] = {
      {"data_patterns", false, 2, "data_patterns", "data_patterns is not of the 1 data sets"},
      {"data_patterns", true,  1, "data_patterns", "data_patterns is not of the 1 data sets"},
      {"loss_train",    false, 0, "loss_train",    "loss_train has another shape"           },
      {"loss_train",    false, 1, "loss_train",    "loss_train has another shape"           },
      {"loss_train",    false, 5, "loss_train",    "loss_train has another shape"           },
      {"data",          true,  1, "data_patterns", "data has another shape"                 },
      {"data",          true,  2, "data",          "data has another shape"                 },
  };
  ip_findings found = {0};
  ip_results *results = NULL;
  size_t n_axes, length[IP_RESULTS_RANK];

  (void)state;
  for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
    make();
    const hid_t file = open_to_change(),
                type = ip_h5_file_type(row[i].text ? IP_TEXT : IP_INT32);

    assert_true(H5Ldelete(file, row[i].name, H5P_DEFAULT) >= 0);
    ip_h5_close(new_array(file, row[i].name, type, row[i].axes));
    ip_h5_close(type);
    ip_h5_close(file);
    OK(ip_results_probe("x.h5"));
    OK(ip_results_open("x.h5", &results));
    assert_string_equal(ip_results_unfit(results), row[i].unfit);
    assert_false(ip_results_shape(results, row[i].unfit, &n_axes, length));
    ip_results_close(&results);
    FAILS(ip_store_check("x.h5", &found), IP_ERR_DATA, row[i].says);
    unlink("x.h5");
  }
}

/* Texts that were never written do not fit. */
static void texts_that_are_not_there(void **state)
{
  ip_findings found = {0};

  (void)state;
  make();
  const hid_t file = open_to_change(), type = ip_h5_file_type(IP_TEXT),
              space = H5Screate_simple(1, (hsize_t[]){1}, NULL);

  assert_true(H5Ldelete(file, "column", H5P_DEFAULT) >= 0);
  ip_h5_close(H5Dcreate2(file, "column", type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  ip_h5_close(space);
  ip_h5_close(type);
  ip_h5_close(file);
  OK(ip_store_check("x.h5", &found));
  assert_string_equal(found.unfit.text, "column");
  ip_findings_clear(&found);
  unlink("x.h5");
}

/* What nobody misses is no reason to refuse the numbers. */
static void made_by_nobody(void **state)
{
  ip_results *results = NULL;
  char *text = NULL;

  (void)state;
  make();
  const hid_t file = open_to_change();

  assert_true(H5Ldelete(file, "provenance", H5P_DEFAULT) >= 0);
  ip_h5_close(file);
  OK(ip_results_probe("x.h5"));
  OK(ip_results_open("x.h5", &results));
  assert_null(ip_results_unfit(results));
  FAILS(ip_results_attribute(results, "provenance", "version", &text), IP_ERR_DATA,
        "x.h5 has no provenance");
  ip_results_close(&results);
  unlink("x.h5");
}

/* ---- while a job may be writing ----------------------------------------------------------------- */

/* What does not fit is looked at again while somebody holds the lock; what lies in its place that
   is no lock changes nothing. */
static void damage_under_a_lock(void **state)
{
  ip_findings found = {0};
  ip_lock *lock = NULL;

  (void)state;
  make();
  const hid_t file = open_to_change(), status = H5Dopen2(file, "status", H5P_DEFAULT);
  const ip_cells cells = {
      .n_axes = 2, .start = {1, 0},
           .count = {1, 1}
  };

  OK(ip_h5_write(status, H5T_NATIVE_INT8, &cells, (int8_t[]){9}));
  ip_h5_close(status);
  ip_h5_close(file);
  for (int held = 0; held < 3; held++) {
    if (held == 1) OK(ip_lock_take("x.h5", false, 0, &lock));
    if (held == 2) assert_int_equal(symlink("elsewhere", "x.h5.lock"), 0);
    OK(ip_store_check("x.h5", &found));
    assert_memory_equal(found.status, ((int8_t[]){0, IP_FOUND_DAMAGED, 0}), 3);
    assert_true(ip_error_message()[0] == '\0');
    ip_findings_clear(&found);
    ip_lock_release(&lock);
  }
  unlink("x.h5.lock");
  unlink("x.h5");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(attributes),     cmocka_unit_test(arrays),
      cmocka_unit_test(arrays_of_ours), cmocka_unit_test(texts_that_are_not_there),
      cmocka_unit_test(made_by_nobody), cmocka_unit_test(damage_under_a_lock),
  };

  PetscPushErrorHandler(ip_error_handler, NULL);
  return cmocka_run_group_tests(tests, enter, leave);
}
