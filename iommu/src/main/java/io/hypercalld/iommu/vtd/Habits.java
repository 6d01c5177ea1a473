package io.hypercalld.iommu.vtd;

/**
 * How a unit uses the freedoms that the specification leaves to hardware. Immutable.
 *
 * <p>Software that is right on every unit does not notice. Whoever compares a unit with another one
 * gives both the same habits.
 *
 * @param collapsesFaults a fault gets no record while another one of the same requester waits for
 *     software (VT-d §7.2.1)
 * @param remembersAbsence with caching mode on, absent and wrong entries are remembered (VT-d §6.1)
 * @param checksDomainOfDevice a device-selective invalidation drops a context entry only where the
 *     domain-id is the entry's too (VT-d §6.5.1.1)
 * @param forgetsWhenSwitched translations and context entries go whenever translation is switched
 *     on or off or the root pointer is set
 * @param dropsHighAddressBits bits beyond the host address width are ignored in the addresses of
 *     tables and of the ring, rather than leading nowhere (VT-d §11.4.5)
 * @param remembersTables paging entries that lead to tables are remembered (VT-d §6.2.5)
 * @param checksPassThrough a context entry that passes requests through has the largest address
 *     width; else any width that the unit supports will do (VT-d §9.3)
 * @param qualifiesReservedContexts FPD of a context entry with reserved bits keeps the fault for
 *     them from software (VT-d §7.1.3, of which revisions differ)
 */
public record Habits(
    boolean collapsesFaults,
    boolean remembersAbsence,
    boolean checksDomainOfDevice,
    boolean forgetsWhenSwitched,
    boolean dropsHighAddressBits,
    boolean remembersTables,
    boolean checksPassThrough,
    boolean qualifiesReservedContexts) {
  /** Forgets as little as it may, so that software that does not invalidate is found out. */
  public static final Habits STRICT = new Habits(false, true, true, false, false, true, true, true);

  /** Forgets readily, and records one fault per requester, as an emulated unit does. */
  public static final Habits LENIENT =
      new Habits(true, false, false, true, true, false, false, false);
}
