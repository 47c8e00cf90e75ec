#include <cupel/cupel.h>

#include <cstdio>

int main() {
  try {
    cupel::fail(cupel::ErrorKind::config, "consumer.yaml:1:1", "a library throws", "catch it");
  } catch (const cupel::Error& error) {
    std::puts(error.what());
    return 0;
  }
}
