/* The inputs of the repository: every one can be planned, and inputs/paper/all.yaml is the union of
   the figures'. */

#include "study.h"
#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

static char *read_text(const char *path)
{
  enum { MOST = 1 << 16 };
  FILE *from = fopen(path, "re");
  char *text = NULL;

  if (!from) fail_msg("%s cannot be opened", path);
  OK(IP_ALLOCATE(MOST, &text));
  assert_true(fread(text, 1, MOST - 1, from) > 0);
  fclose(from);
  return text;
}

/* The plan of a file below inputs/, with one setting. */
static study plan_file(const char *name, const char *setting)
{
  char path[512];
  study s = {0};

  snprintf(path, sizeof path, IP_SOURCE "/inputs/%s", name);

  char *text = read_text(path);

  assert_true(strncmp(text, "# Claim      ", 13) == 0 && strstr(text, "\n# Reference  ") &&
              strstr(text, "\n# Cost       "));
  OK(ip_options_read(path, text, strlen(text), 1, &setting, &s.options));
  OK(ip_data_create(s.options, &s.data));
  for (size_t i = 0; i < s.data->n; i++) {
    const char *needs = s.data->spec[i].path;

    if (needs && access(needs, R_OK) != 0) { /* Debian: dataset-fashion-mnist */
      print_message("%s is not planned: %s is not here\n", name, needs);
      study_clear(&s);
      ip_release(&text);
      return (study){0};
    }
  }
  OK(ip_data_load(s.data));
  OK(ip_plan_create(s.options, s.data, &s.plan));
  ip_release(&text);
  return s;
}

static bool is_input(const char *name)
{
  const size_t n = strlen(name);

  return n > 5 && strcmp(name + n - 5, ".yaml") == 0;
}

/* Plan all inputs of a folder ("" or "paper/"); how many. */
static size_t plan_folder(const char *folder)
{
  char path[512];
  size_t n = 0;

  snprintf(path, sizeof path, IP_SOURCE "/inputs/%s", folder);

  DIR *open = opendir(path);

  assert_non_null(open);
  for (struct dirent *entry; (entry = readdir(open)) != NULL;) {
    if (!is_input(entry->d_name)) continue;
    snprintf(path, sizeof path, "%s%s", folder, entry->d_name);

    study s = plan_file(path, "repeat=2");

    if (s.plan && s.plan->n_runs < 2) fail_msg("%s: %zu runs", path, s.plan->n_runs);
    study_clear(&s);
    n++;
  }
  closedir(open);
  return n;
}

static void every_input_can_be_planned(void **state)
{
  (void)state;
  assert_true(plan_folder("") >= 3);
  assert_int_equal(plan_folder("paper/"), 8);
  assert_int_equal(plan_folder("critique/"), 4);
  assert_int_equal(plan_folder("idnns/"), 1);
  assert_int_equal(plan_folder("reruns/"), 2);
}

/* The run of `plan` that is this one; it must be there, and belong to the study. */
static size_t find_run(const ip_plan *plan, size_t block, const char *identity)
{
  for (size_t r = 0; r < plan->n_runs; r++) {
    ip_text text = {0};

    if (!plan->in_study[r * plan->n_studies + block]) continue;
    OK(ip_plan_identity(plan, r, &text));

    const bool same = strcmp(text.text, identity) == 0;

    ip_text_clear(&text);
    if (same) return r;
  }
  fail_msg("study %s of all.yaml lacks the run\n%s", plan->options->block[block].name,
           identity);
  return 0;
}

/* What the figure looks at, all.yaml looks at too. */
static void covers(const ip_plan *all, size_t r, const ip_plan *plan, size_t i)
{
  const ip_measure *more = &all->measure[all->run[r].measure],
                   *less = &plan->measure[plan->run[i].measure];

  assert_true(more->n_looks >= less->n_looks && more->save >= less->save);
  assert_int_equal(more->gradient_batch, less->gradient_batch);
  for (size_t c = 0; c < less->n_columns; c++) {
    bool have = false;

    for (size_t o = 0; o < more->n_columns; o++)
      have = have ||
             strcmp(all->column[more->column[o]].name, plan->column[less->column[c]].name) == 0;
    if (!have) fail_msg("no column %s", plan->column[less->column[c]].name);
  }
}

static void all_is_the_union_of_the_figures(void **state)
{
  study all = plan_file("paper/all.yaml", "repeat=2");

  (void)state;
  assert_int_equal(all.plan->n_studies, 7);
  for (size_t b = 0; b < 7; b++) {
    char name[64];
    size_t members = 0;

    snprintf(name, sizeof name, "paper/%s.yaml", all.plan->options->block[b].name);

    study figure = plan_file(name, "repeat=2");

    for (size_t r = 0; r < figure.plan->n_runs; r++) {
      ip_text identity = {0};

      OK(ip_plan_identity(figure.plan, r, &identity));
      covers(all.plan, find_run(all.plan, b, identity.text), figure.plan, r);
      ip_text_clear(&identity);
    }
    for (size_t r = 0; r < all.plan->n_runs; r++)
      members += (size_t)all.plan->in_study[r * 7 + b];
    assert_int_equal(members, figure.plan->n_runs);
    study_clear(&figure);
  }
  study_clear(&all);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_input_can_be_planned),
      cmocka_unit_test(all_is_the_union_of_the_figures),
  };

  return RUN_TESTS(tests);
}
