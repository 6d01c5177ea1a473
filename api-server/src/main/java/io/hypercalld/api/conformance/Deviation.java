package io.hypercalld.api.conformance;

import java.util.Arrays;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where the recorded implementations leave the specification, or use a freedom of it, by the
 * letters and numbers of the corpus' description: what recordings call it, and what a request that
 * meets it can have come to. Immutable.
 */
enum Deviation {
  D1("silent-permission-miss", Ends.silently(), "a hit without permission is dropped silently"),
  D2("iotlb-keyed-by-source-id", Ends.passing(), "the IOTLB is keyed by source-id"),
  D3(
      "superpage-overlaps-fee",
      Ends.faulting(0xe, 0x87),
      "a superpage that overlaps the interrupt range always faults"),
  D4("all-ones-entry", Ends.faulting(3, 7, 0x70, 0x73, 0x78, 0x7b), "it is an unreadable one"),
  D5(
      "perm-before-reserved",
      Ends.faulting(5, 6, 0x79, 0x81, 0x85, 0x86),
      "permission is checked before reserved bits"),
  D7("psi-mask-truncated", Ends.any(), "page-selective invalidation drops more than it must"),
  D9("address-bits-masked", Ends.any(), "address bits beyond the width are dropped"),
  D15("scalable-[a-z0-9-]*", Ends.any(), "PASID problems share one reason"),
  I2("compat-never-blocked", Ends.any(), "compatibility-format interrupts are never blocked"),
  I3("svt-bus-range-swapped", Ends.any(), "start and end bus of SVT=10 are swapped"),
  I4(
      "delivery-mode-reserved-unchecked|svt3-as-sid-error|index-wraps-16-bits|im-bit-unchecked"
          + "|dst-bits-unchecked|eime-without-eim",
      Ends.any(),
      "parts of an interrupt entry are not checked"),
  I5("dma-write-has-no-source-id", Ends.any(), "an interrupt by a plain write has no source-id"),
  F1(
      "(accessed|dirty)-bit-not-set(-on-iotlb-hit)?",
      Ends.any(),
      "accessed or dirty bits stay clear"),
  F2("extra-ad-update|non-ad-bits-changed", Ends.any(), "more bits are updated than must be"),
  F3("fs-canonical-check-uses-AW", Ends.faulting(0x80), "the canonical check uses AW"),
  F4(
      "xd-without-nxe-accepted|fs1gp-off-not-enforced",
      Ends.unreserved(),
      "first-stage bits are not reserved"),
  F5(
      "(context|pasid-dir|pasid-entry|fs)-reserved-not-checked|fsptptr-beyond-haw-.*"
          + "|pasid-dir-pointer-beyond-haw-.*",
      Ends.unreserved(),
      "reserved fields of scalable-mode entries are not checked"),
  F6("legacy-reason-.*-in-scalable-mode", Ends.any(), "legacy reasons in scalable mode"),
  F7(
      "pasid-entry-p0-.*|fpd-not-honoured-.*",
      Ends.any(),
      "order of checks and FPD of PASID structures"),
  F8("reserved-ttm-.*", Ends.any(), "reserved table modes are taken for others");

  /**
   * What requests come to.
   *
   * @param passes whether they may have passed
   * @param silent whether they may have been dropped
   * @param faults whether they may have faulted
   * @param reasons with these reasons, or with others than these
   * @param others which of the two
   */
  private record Ends(
      boolean passes, boolean silent, boolean faults, Set<Integer> reasons, boolean others) {
    static Ends any() {
      return new Ends(true, true, true, Set.of(), true);
    }

    static Ends passing() {
      return new Ends(true, false, false, Set.of(), false);
    }

    static Ends silently() {
      return new Ends(false, true, false, Set.of(), false);
    }

    static Ends faulting(Integer... reasons) {
      return new Ends(false, false, true, Set.of(reasons), false);
    }

    /** Anything but a reserved field. */
    static Ends unreserved() {
      return new Ends(true, true, true, Set.of(0x3a, 0x42, 0x52, 0x5a, 0x72, 0x7a), true);
    }

    boolean include(Outcome outcome) {
      return switch (outcome) {
        case Outcome.Passed _ -> passes;
        case Outcome.Suppressed _ -> silent;
        case Outcome.Faulted(int reason) -> faults && reasons.contains(reason) != others;
        case Outcome.NotTranslated _ -> false;
      };
    }
  }

  /** A recording's name for a reason that was reported in place of another. */
  private static final Pattern REPORTED = Pattern.compile(".*0x([0-9a-f]+).*");

  private final Pattern names;

  @SuppressWarnings("ImmutableEnumChecker") // Ends is immutable; the checker sees a Set.
  private final Ends ends;

  private final String meaning;

  Deviation(String names, Ends ends, String meaning) {
    this.names = Pattern.compile(names);
    this.ends = ends;
    this.meaning = meaning;
  }

  private static Optional<Deviation> of(String name) {
    String first = name.split("\\+", 2)[0];
    return Arrays.stream(values()).filter(each -> each.names.matcher(first).matches()).findFirst();
  }

  /** Whether a request that met a deviation of this name can have come to this. */
  static boolean explains(String name, Outcome outcome) {
    Matcher reported = REPORTED.matcher(name);
    return reported.matches()
        ? outcome.equals(new Outcome.Faulted(Integer.parseInt(reported.group(1), 16)))
        : of(name).map(each -> each.ends.include(outcome)).orElse(true);
  }

  /**
   * A name of the corpus with its number before it and its meaning behind it; names joined by
   * {@code +} are looked up by the first.
   */
  static String labelled(String name) {
    return of(name).map(each -> each + " " + name + " (" + each.meaning + ")").orElse(name);
  }
}
