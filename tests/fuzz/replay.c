/* Without libFuzzer: the target reads every file of the folders that are named.  A folder that does
   not stand is empty, but some file must be there. */

#include "fuzz.h"
#include <dirent.h>

static void replay(const char *path)
{
  FILE *file = fopen(path, "rb");
  uint8_t *bytes = malloc(1 << 20);
  const size_t length = file && bytes ? fread(bytes, 1, 1 << 20, file) : 0;
  uint8_t *exact = malloc(length > 0 ? length : 1); /* so that a byte beyond is noticed */

  MUST(file && bytes && exact);
  fclose(file);
  if (length > 0) memcpy(exact, bytes, length);
  free(bytes);
  fprintf(stderr, "%s\n", path);
  LLVMFuzzerTestOneInput(exact, length);
  free(exact);
}

static int replay_folder(const char *folder)
{
  DIR *entries = opendir(folder);
  int n = 0;

  for (const struct dirent *e; entries && (e = readdir(entries)) != NULL;) {
    char path[4096];

    if (e->d_name[0] == '.') continue;
    snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
    replay(path);
    n++;
  }
  if (entries) closedir(entries);
  return n;
}

int main(int argc, char **argv)
{
  int n = 0;

  for (int i = 1; i < argc; i++) n += replay_folder(argv[i]);
  fprintf(stderr, "%d inputs\n", n);
  return n > 0 ? 0 : 1;
}
