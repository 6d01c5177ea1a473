package io.hypercalld.api.conformance;

import java.util.Arrays;
import java.util.regex.Pattern;

/**
 * Where the recorded implementations leave the specification, or use a freedom of it, by the
 * letters and numbers of the corpus' description. Immutable.
 */
enum Deviation {
  D1("silent-permission-miss", "a hit without permission is dropped silently"),
  D2("iotlb-keyed-by-source-id", "the IOTLB is keyed by source-id"),
  D3("superpage-overlaps-fee", "a superpage that overlaps the interrupt range always faults"),
  D4("all-ones-entry", "an all-ones entry is an unreadable one"),
  D5("perm-before-reserved", "permission is checked before reserved bits"),
  D6("frcd-pasid", "FRCD holds a PASID although the request had none"),
  D7("psi-mask-truncated", "page-selective invalidation drops more than it must"),
  D8("coarser-invalidation", "an invalidation is carried out, and reported, coarser than asked"),
  D9(
      "address-bits-masked|queue-address-by-halves|fault-address-not-clipped",
      "address bits beyond the width are dropped in registers, and kept in fault records"),
  D10("pass-through-not-checked", "pass-through checks neither the address nor AW"),
  D11("context-reserved-not-qualified", "FPD does not keep a reserved context entry's fault away"),
  D12(
      "commands-without-effect|event-message-not-masked",
      "registers of absent capabilities are kept or lost"),
  D13("interrupt-range-input", "reads of the interrupt range succeed with zeros"),
  D14("one-fault-register", "one fault register, compressed by source-id"),
  D15("scalable-[a-z0-9-]*", "PASID problems share one reason, first-stage is walked as second"),
  Q1("descriptor-not-checked", "a descriptor that is none is accepted"),
  Q2("no-fetch-after-error", "nothing is fetched after IQE is cleared"),
  Q3("register-command-while-queued", "register commands wait while the queue is on"),
  Q4("queue-disable-refused", "the queue is not disabled unless its last descriptor was a wait"),
  Q5("wait-without-effect", "a wait that neither writes nor interrupts is an error"),
  I1("interrupt-fault-not-recorded", "no interrupt-remapping fault is recorded"),
  I2("compat-never-blocked", "compatibility-format interrupts are never blocked"),
  I3("svt-bus-range-swapped", "start and end bus of SVT=10 are swapped"),
  I4(
      "delivery-mode-reserved-unchecked|svt3-as-sid-error|index-wraps-16-bits|im-bit-unchecked"
          + "|dst-bits-unchecked|eime-without-eim",
      "parts of an interrupt entry are not checked"),
  I5("dma-write-has-no-source-id", "an interrupt by a plain write has no source-id"),
  F1("(accessed|dirty)-bit-not-set(-on-iotlb-hit)?", "accessed or dirty bits stay clear"),
  F2("extra-ad-update|non-ad-bits-changed", "more bits are updated than must be"),
  F3("fs-canonical-check-uses-AW", "the canonical check uses the PASID entry's AW"),
  F4("xd-without-nxe-accepted|fs1gp-off-not-enforced", "first-stage bits are not reserved"),
  F5(
      "(context|pasid-dir|pasid-entry|fs)-reserved-not-checked|fsptptr-beyond-haw-.*"
          + "|pasid-dir-pointer-beyond-haw-.*",
      "reserved fields of scalable-mode entries are not checked"),
  F6("legacy-reason-.*-in-scalable-mode", "legacy reasons in scalable mode"),
  F7("pasid-entry-p0-.*|fpd-not-honoured-.*", "order of checks and FPD of PASID structures"),
  F8("reserved-ttm-.*", "reserved table modes are taken for others");

  private final Pattern names;
  private final String meaning;

  Deviation(String names, String meaning) {
    this.names = Pattern.compile(names);
    this.meaning = meaning;
  }

  /**
   * A name of the corpus with its number before it and its meaning behind it; names joined by
   * {@code +} are looked up by the first.
   */
  static String labelled(String name) {
    String first = name.split("\\+", 2)[0];
    return Arrays.stream(values())
        .filter(each -> each.names.matcher(first).matches())
        .findFirst()
        .map(each -> each + " " + name + " (" + each.meaning + ")")
        .orElse(name);
  }
}
