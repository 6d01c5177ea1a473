package io.hypercalld.core.planted.unmarked;

/** Lives in a package that says nothing about null. */
public final class Unmarked {
  private Unmarked() {}
}
