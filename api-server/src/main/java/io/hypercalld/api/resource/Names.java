package io.hypercalld.api.resource;

import io.hypercalld.api.rest.Failure;
import io.hypercalld.api.rest.Problems;
import io.hypercalld.api.rest.Request;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.domain.DomainTable;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.iommu.pci.Sbdf;
import io.hypercalld.iommu.vtd.PasidPrefix;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.regex.Pattern;

/** What paths and queries name, understood. Immutable. */
final class Names {
  private static final int LARGEST_DOMAIN_ID = 0xffff;
  private static final int HEX_RADIX = 16;
  private static final Pattern HEX = Pattern.compile("0[xX][0-9a-fA-F]{1,16}");
  private static final Pattern DECIMAL = Pattern.compile("[0-9]{1,16}");
  private static final long LARGEST_EXACT = (1L << 53) - 1;

  private Names() {}

  /** A domain as a path names it: by number or by name. */
  record DomainName(String text) {
    /**
     * The domain meant.
     *
     * @throws Refusal ESRCH
     */
    Domain in(DomainTable domains) {
      OptionalInt number = decimal(text, LARGEST_DOMAIN_ID);
      Optional<Domain> found =
          number.isPresent()
              ? domains.find(new DomainId(number.getAsInt()))
              : domains.all().stream().filter(domain -> domain.name().equals(text)).findFirst();
      return found.orElseThrow(() -> Refusal.of(Errno.ESRCH, "there is no domain %s", text));
    }

    /**
     * The owner meant: a domain, or one of the reserved numbers that own devices too.
     *
     * @throws Refusal ESRCH
     */
    DomainId owner(DomainTable domains) {
      OptionalInt number = decimal(text, LARGEST_DOMAIN_ID);
      return number.isPresent() ? new DomainId(number.getAsInt()) : in(domains).id();
    }
  }

  static DomainName domain(Request request) {
    return new DomainName(request.place("d"));
  }

  /**
   * The vCPU that a path names.
   *
   * @throws Failure 404
   */
  static int vcpu(Request request) {
    String text = request.place("v");
    return decimal(text, Integer.MAX_VALUE)
        .orElseThrow(() -> Failure.of(Errno.ENOENT, "there is no vCPU %s".formatted(text)));
  }

  /**
   * The PCI function that a text names.
   *
   * @throws Failure 404: no function has such an address
   */
  static Sbdf sbdf(String text) {
    try {
      return Sbdf.parse(text);
    } catch (IllegalArgumentException e) {
      throw Failure.of(
          Errno.ENODEV, "%s is not a PCI function such as 0000:03:00.0".formatted(text));
    }
  }

  /**
   * The PCI function that a query parameter names.
   *
   * @throws Failure 400
   */
  static Sbdf sbdfParameter(Request request, String name) {
    String text = required(request, name);
    try {
      return Sbdf.parse(text);
    } catch (IllegalArgumentException e) {
      throw Failure.of(
          Problems.INVALID_PARAMETER,
          "%s is a PCI function such as 0000:03:00.0, not %s",
          name,
          text);
    }
  }

  /**
   * The address space of a device that a query names; none where the parameter is left out.
   *
   * @throws Failure 400
   */
  static PasidPrefix pasidParameter(Request request, String name) {
    Optional<String> text = request.parameter(name);
    if (text.isEmpty()) {
      return PasidPrefix.NONE;
    }
    int largest = (1 << PasidPrefix.BITS) - 1;
    return PasidPrefix.of(
        decimal(text.get(), largest)
            .orElseThrow(
                () ->
                    Failure.of(
                        Problems.INVALID_PARAMETER,
                        "%s is a number of at most %d, not %s",
                        name,
                        largest,
                        text.get())));
  }

  /**
   * The guest frame that a path names.
   *
   * @throws Failure 400
   */
  static Gfn gfn(Request request) {
    return new Gfn(parse("gfn", request.place("gfn")).value());
  }

  /**
   * The frame of the machine that a path names.
   *
   * @throws Failure 400
   */
  static Mfn mfn(Request request) {
    return new Mfn(parse("mfn", request.place("mfn")).value());
  }

  /**
   * A number that may be written in hexadecimal.
   *
   * @throws Failure 400 where it is missing or none
   */
  static Word word(Request request, String name) {
    return parse(name, required(request, name));
  }

  /**
   * As {@link #word}, where the parameter may be left out.
   *
   * @throws Failure 400 where it is none
   */
  static Optional<Word> optionalWord(Request request, String name) {
    return request.parameter(name).map(text -> parse(name, text));
  }

  /**
   * A decimal number of a query parameter.
   *
   * @throws Failure 400 where it is none or more than {@code most}
   */
  static Optional<Integer> count(Request request, String name, int most) {
    return request
        .parameter(name)
        .map(
            text -> {
              OptionalInt number = decimal(text, most);
              if (number.isEmpty()) {
                throw Failure.of(
                    Problems.INVALID_PARAMETER,
                    "%s is an integer from 0 to %d, not %s",
                    name,
                    most,
                    text);
              }
              return number.getAsInt();
            });
  }

  /**
   * A decimal number in a path.
   *
   * @throws Failure 400
   */
  static long number(Request request, String name) {
    OptionalInt number = decimal(request.place(name), Integer.MAX_VALUE);
    return number.orElseThrow(
        () -> Failure.of(Problems.INVALID_PARAMETER, "%s is no number", request.place(name)));
  }

  /**
   * The domain on whose behalf a hypercall is made.
   *
   * @throws Failure 400; 403 where its token does not speak for that domain
   */
  static DomainId caller(Request request) {
    return request.grant().caller(count(request, "caller", LARGEST_DOMAIN_ID).map(DomainId::new));
  }

  private static String required(Request request, String name) {
    return request
        .parameter(name)
        .orElseThrow(
            () ->
                Failure.of(Problems.INVALID_PARAMETER, "the query parameter %s is missing", name));
  }

  private static OptionalInt decimal(String text, int most) {
    if (!DECIMAL.matcher(text).matches()) {
      return OptionalInt.empty();
    }
    long value = Long.parseLong(text);
    return value <= most ? OptionalInt.of((int) value) : OptionalInt.empty();
  }

  private static Word parse(String name, String text) {
    if (HEX.matcher(text).matches()) {
      return new Word(Long.parseUnsignedLong(text.substring(2), HEX_RADIX));
    }
    if (DECIMAL.matcher(text).matches() && Long.parseLong(text) <= LARGEST_EXACT) {
      return new Word(Long.parseLong(text));
    }
    throw Failure.of(
        Problems.INVALID_PARAMETER,
        "%s is a number such as 0x1a2b, of at most 64 bits, not %s",
        name,
        text);
  }
}
