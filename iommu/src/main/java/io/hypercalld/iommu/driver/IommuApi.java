package io.hypercalld.iommu.driver;

/**
 * A generation of the hypercall by which a domain maps its devices' memory itself.
 *
 * @see "spec/documents.md S1-D21, S1-D22"
 */
public enum IommuApi {
  /** Of 2024: several contexts to point devices at, pages mapped by runs, one call each. */
  CONTEXTS("2024"),

  /** Of 2016, as XenServer shipped it: one space, and a list of operations with a status each. */
  OPERATIONS("2016");

  private final String text;

  IommuApi(String text) {
    this.text = text;
  }

  /** As the policy spells it. */
  @Override
  public String toString() {
    return text;
  }
}
