package io.hypercalld.core.hypercall;

import io.hypercalld.core.bits.Word;

/**
 * {@code ioremap}: let the caller reach registers of the machine's, at the guest frames of their
 * numbers.
 *
 * <ul>
 *   <li>{@code EPERM} the caller may not have all of them; or other than RAM is mapped there, which
 *       crashes the caller
 *   <li>{@code EINVAL} the range wraps or is beyond the machine's addresses; {@code ENOMEM} no
 *       pages for tables
 * </ul>
 *
 * @param ioaddr machine address of the first byte
 * @param size bytes; 0 for one page
 * @see "spec/documents.md S3-D4, IA64_DOM0VP_ioremap"
 */
public record IoRemap(Word ioaddr, @OrElse("0") Word size) implements Hypercall {
  /** The guest-physical address of the first byte: the same. */
  public record Mapped(Word address) {}
}
