package io.hypercalld.core.domain;

/**
 * How the APIC ids of a domain follow from the numbers of its vCPUs.
 *
 * @see "spec/documents.md S1-D14, S1-D16"
 */
public enum ApicIds {
  /** Even ones, as Xen has them: vCPU 127 has the last that fits 8 bits. */
  TWICE("2n", 2),

  /** The same numbers, as the series for 288 vCPUs had them. */
  SAME("n", 1);

  private final String text;
  private final int stride;

  ApicIds(String text, int stride) {
    this.text = text;
    this.stride = stride;
  }

  /** The APIC id of a vCPU. */
  public int of(int vcpu) {
    return vcpu * stride;
  }

  /** As the policy spells it. */
  @Override
  public String toString() {
    return text;
  }
}
