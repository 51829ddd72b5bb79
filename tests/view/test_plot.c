/* Pictures: texts of users cannot leave their quotes, files are whole or not there, and what is wrong
   with gnuplot or the folder is said in words. */

#include "check.h"
#include "page.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char *folder_name(void **state)
{
  return *state;
}

static int make_folder(void **state)
{
  char *name = strdup("/tmp/infoplane_plot_XXXXXX");

  *state = name;
  return name && mkdtemp(name) ? 0 : -1;
}

/* Calls f with every name in the folder; how many there are. */
static size_t for_each(const char *folder, void (*f)(const char *folder, const char *name))
{
  DIR *d = opendir(folder);
  size_t n = 0;

  assert_non_null(d);
  for (const struct dirent *e = readdir(d); e; e = readdir(d)) {
    if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) continue;
    n++;
    if (f) f(folder, e->d_name);
  }
  closedir(d);
  return n;
}

static void remove_one(const char *folder, const char *name)
{
  char path[600];

  snprintf(path, sizeof path, "%s/%s", folder, name);
  if (unlink(path) != 0) rmdir(path);
}

static int remove_folder(void **state)
{
  for_each(folder_name(state), remove_one);
  rmdir(folder_name(state));
  free(*state);
  return 0;
}

/* The beginning of a file of the folder; "" if it is not there. */
static const char *contents(const char *folder, const char *name, char text[4096])
{
  char path[600];

  snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *file = fopen(path, "re");
  const size_t n = file ? fread(text, 1, 4095, file) : 0;

  if (file) fclose(file);
  text[n] = '\0';
  return text;
}

static void quotes(void **state)
{
  static const struct {
    const char *text, *quoted;
    size_t most;
  } sample[] = {
      {"plain",               "'plain'",               10},
      {"it's",                "'it''s'",               10},
      {"''",                  "''''''",                10},
      {"`id` \"$(id)\" @x\\", "'`id` \"$(id)\" @x\\'", 40},
      {"two\nlines\t\x7f|",   "'two lines  |'",        40},
      {"cut here",            "'cut...'",              3 },
      {"\316\262\316\262x",   "'\316\262\316\262...'", 2 }, /* characters, not bytes */
      {"",                    "''",                    5 }
  };
  (void)state;

  for (size_t i = 0; i < sizeof sample / sizeof sample[0]; i++) {
    ip_text text = {0};

    OK(plot_quote(&text, sample[i].text, sample[i].most));
    assert_string_equal(text.text, sample[i].quoted);
    ip_text_clear(&text);
  }
}

static void rows(void **state)
{
  plot p = {0};

  (void)state;
  OK(plot_begin(&p, "../bad name/x.y", "a `sentence`\nof two lines", "a\rfile"));
  assert_string_equal(p.stem, "_._bad_name_x.y");
  OK(plot_block(&p, "block", "one two"));
  OK(plot_row(&p, 4, (const double[]){1.0 / 3, -2e300, (double)NAN, HUGE_VAL}));
  OK(plot_gap(&p));
  OK(plot_block(&p, "next", "columns"));
  assert_string_equal(p.data.text,
                      "# a  sentence  of two lines\n# made by infoplane from a file\n"
                      "\n# block\n# one two\n0.333333333 -2e+300 NaN NaN\n\n"
                      "\n\n\n# next\n# columns\n");
  assert_int_equal(p.blocks, 2);
  plot_clear(&p);
  assert_null(p.stem);
}

/* A picture whose every text is hostile: none of them is run, and all of it is drawn. */
static void hostile_texts(void **state)
{
  static const char nasty[] =
      "a'b `touch pwned` \"`touch pwned`\" ' \nset output 'pwned'\n# {/:Bold x} "
      "@x $(touch pwned) \\";
  static const char *const file[] = {"x.dat", "x.gp", "x.pdf", "x.png", "x.svg"};
  page g = page_of_planes(2);
  plot_folder folder = {0};
  plot p = {0};
  char text[4096];

  OK(plot_folder_open(folder_name(state), &folder));
  OK(plot_begin(&p, "x", nasty, nasty));
  OK(plot_block(&p, nasty, "x y"));
  OK(plot_row(&p, 2, (const double[]){1, 2}));
  OK(page_begin(&g, &p, nasty));
  OK(page_entry(&p, PAGE_POINT, "linetype 1", nasty));
  OK(page_entry(&p, PAGE_LINE, "linetype 2", nasty));
  OK(page_panels(&g, &p));
  OK(page_panel(&g, &p, 0, nasty, nasty));
  OK(page_axes(&g, &p, 0, page_i_xt, page_i_ty));
  OK(ip_text_add(&p.body, "  plot data using 1:2 with points notitle\n"));
  OK(page_end(&p));
  OK(plot_draw(&p, &folder));
  assert_int_equal(for_each(folder_name(state), NULL),
                   5); /* nothing else: not pwned, nothing beside */
  for (size_t i = 0; i < 5; i++)
    assert_true(strlen(contents(folder_name(state), file[i], text)) > 3);
  assert_memory_equal(contents(folder_name(state), "x.pdf", text), "%PDF", 4);
  assert_memory_equal(contents(folder_name(state), "x.png", text), "\x89PNG", 4);
  assert_non_null(strstr(contents(folder_name(state), "x.svg", text), "<svg"));
  plot_clear(&p);
  plot_folder_close(&folder);
}

/* The script works by itself, in its folder. */
static void script_alone(void **state)
{
  plot_folder folder = {0};
  plot p = {.width = 4, .height = 3};
  char text[4096];

  OK(plot_folder_open(folder_name(state), &folder));
  OK(plot_begin(&p, "y", "sentence", "file"));
  OK(plot_block(&p, "block", "x y"));
  OK(plot_row(&p, 2, (const double[]){1.5, 2.5}));
  OK(ip_text_add(&p.body, "  plot data using 1:2 with points\n"));
  OK(plot_draw(&p, &folder));
  for (int i = 0; i < 3; i++) {
    snprintf(text, sizeof text, "%s/y.%s", folder_name(state),
             i == 0   ? "pdf"
             : i == 1 ? "png"
                      : "svg");
    assert_int_equal(unlink(text), 0);
  }
  OK(plot_run_gnuplot(folder.fd, "y.gp", (const char *const[]){"y.gp", NULL}));
  assert_int_equal(for_each(folder_name(state), NULL), 5);
  plot_clear(&p);
  plot_folder_close(&folder);
}

/* gnuplot's own words are kept; a picture that stood stays as it was. */
static void gnuplot_fails(void **state)
{
  plot_folder folder = {0};
  ip_text old = {0};
  plot p = {.width = 4, .height = 3};
  char text[4096];

  OK(plot_folder_open(folder_name(state), &folder));
  OK(ip_text_add(&old, "%s", "old"));
  OK(plot_write(&folder, "z.pdf", &old));
  OK(plot_begin(&p, "z", "sentence", "file"));
  OK(ip_text_add(&p.body, "  plot nonsense(x)\n"));
  FAILS(plot_draw(&p, &folder), IP_ERR_ENVIRONMENT, "undefined function: nonsense");
  assert_string_equal(contents(folder_name(state), "z.pdf", text), "old");
  assert_int_equal(for_each(folder_name(state), NULL), 3); /* z.dat, z.gp, z.pdf */
  ip_text_clear(&old);
  plot_clear(&p);
  plot_folder_close(&folder);
}

static void no_gnuplot(void **state)
{
  const char *path = getenv("PATH");
  char *kept = strdup(path ? path : "");

  (void)state;
  OK(plot_check_gnuplot());
  setenv("PATH", "/nowhere", 1);
  FAILS(plot_check_gnuplot(), IP_ERR_ENVIRONMENT, "apt-get install gnuplot-nox");
  setenv("PATH", kept, 1);
  OK(plot_check_gnuplot());
  free(kept);
}

/* Init files and variables of the user do not matter: numbers keep their points. */
static void surroundings(void **state)
{
  char home[600];
  FILE *init;

  snprintf(home, sizeof home, "%s/.gnuplot", folder_name(state));
  init = fopen(home, "we");
  assert_non_null(init);
  fputs("exit status 3\n", init);
  fclose(init);
  setenv("HOME", folder_name(state), 1);
  setenv("GNUTERM", "no such terminal", 1);
  OK(plot_run_gnuplot(
      -1, "surroundings",
      (const char *const[]){"-e", "if (sprintf('%.1f', 0.5) ne '0.5') exit status 4", NULL}));
  unsetenv("GNUTERM");
}

static void folders(void **state)
{
  plot_folder folder = {.fd = -1};
  char path[600];
  const int fd = open(folder_name(state), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

  snprintf(path, sizeof path, "%s/new", folder_name(state));
  OK(plot_folder_open(path, &folder)); /* made */
  plot_folder_close(&folder);
  OK(plot_folder_open(path, &folder)); /* stands */
  plot_folder_close(&folder);
  assert_null(folder.path);
  snprintf(path, sizeof path, "%s/none/new", folder_name(state));
  FAILS(plot_folder_open(path, &folder), IP_ERR_CREATE, "none/new");
  assert_true(fd >= 0);
  close(openat(fd, "file", O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
  snprintf(path, sizeof path, "%s/file", folder_name(state));
  FAILS(plot_folder_open(path, &folder), IP_ERR_CREATE, "/file");
  assert_null(folder.path);
  close(fd);
}

static void not_writable(void **state)
{
  plot_folder folder = {.fd = -1};
  const ip_text text = {0};

  if (geteuid() == 0) { /* root writes everywhere but where there is nothing to write to */
    OK(plot_folder_open("/proc/self/fd", &folder));
    FAILS(plot_write(&folder, "x", &text), IP_ERR_CREATE, "/proc/self/fd/x");
    plot_folder_close(&folder);
    return;
  }
  chmod(folder_name(state), 0500);
  FAILS(plot_folder_open(folder_name(state), &folder), IP_ERR_CREATE, "not writable");
  chmod(folder_name(state), 0700);
}

/* A file is replaced as a whole; what stood is not written to. */
static void replaced(void **state)
{
  plot_folder folder = {0};
  ip_text first = {0}, second = {0};
  struct stat before = {0}, after = {0};
  char path[600], text[4096];

  OK(plot_folder_open(folder_name(state), &folder));
  OK(ip_text_add(&first, "%s", "the first, longer"));
  OK(ip_text_add(&second, "%s", "the second"));
  OK(plot_write(&folder, "a", &first));
  snprintf(path, sizeof path, "%s/a", folder_name(state));
  const int reader = open(path, O_RDONLY | O_CLOEXEC);

  assert_true(reader >= 0 && fstat(reader, &before) == 0);
  OK(plot_write(&folder, "a", &second));
  assert_string_equal(contents(folder_name(state), "a", text), "the second");
  assert_int_equal(stat(path, &after), 0);
  assert_int_not_equal(before.st_ino, after.st_ino);
  assert_int_equal(read(reader, text, sizeof text), 17);
  assert_int_equal(for_each(folder_name(state), NULL), 1);
  close(reader);
  snprintf(path, sizeof path, "%s/ab", folder_name(state));
  mkdir(path, 0700); /* a folder cannot be replaced: nothing is left beside it */
  FAILS(plot_write(&folder, "ab", &second), IP_ERR_IO, "/ab");
  assert_int_equal(for_each(folder_name(state), NULL), 2);
  ip_text_clear(&first);
  ip_text_clear(&second);
  plot_folder_close(&folder);
}

static void shades(void **state)
{
  char color[8];

  (void)state;
  plot_shade(0, 3, color);
  assert_string_equal(color, "#440154"); /* viridis at 0 */
  plot_shade(2, 3, color);
  assert_string_equal(color, "#a0da39");
  plot_shade(1, 13, color); /* halfway between the first two stops */
  assert_string_equal(color, "#451a69");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(quotes),
      cmocka_unit_test(rows),
      cmocka_unit_test(shades),
      cmocka_unit_test(no_gnuplot),
      cmocka_unit_test_setup_teardown(hostile_texts, make_folder, remove_folder),
      cmocka_unit_test_setup_teardown(script_alone, make_folder, remove_folder),
      cmocka_unit_test_setup_teardown(gnuplot_fails, make_folder, remove_folder),
      cmocka_unit_test_setup_teardown(surroundings, make_folder, remove_folder),
      cmocka_unit_test_setup_teardown(folders, make_folder, remove_folder),
      cmocka_unit_test_setup_teardown(not_writable, make_folder, remove_folder),
      cmocka_unit_test_setup_teardown(replaced, make_folder, remove_folder),
  };

  return RUN_TESTS(tests);
}
