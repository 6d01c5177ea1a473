package io.hypercalld.core.planted;

/** Which of the two is the guest's? */
public final class AddressPair {
  private AddressPair() {}

  public static boolean isIdentity(long gfn, long mfn) {
    return gfn == mfn;
  }
}
