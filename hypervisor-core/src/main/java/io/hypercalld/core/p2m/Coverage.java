package io.hypercalld.core.p2m;

/** How much of a range has some property. */
public enum Coverage {
  NONE,
  SOME,
  ALL;

  /** That of a range of which some, or even all, has the property. */
  public static Coverage of(boolean some, boolean all) {
    if (!some) {
      return NONE;
    }
    return all ? ALL : SOME;
  }
}
