package io.hypercalld.api.resource;

import io.hypercalld.api.json.InvalidBody;
import io.hypercalld.api.machine.Machine;
import io.hypercalld.api.machine.WriteGuestMemory;
import io.hypercalld.api.machine.WriteMachineMemory;
import io.hypercalld.api.rest.Failure;
import io.hypercalld.api.rest.Method;
import io.hypercalld.api.rest.Parameter;
import io.hypercalld.api.rest.Problems;
import io.hypercalld.api.rest.Reply;
import io.hypercalld.api.rest.Request;
import io.hypercalld.api.rest.Route;
import io.hypercalld.core.bits.HexBytes;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.errno.Errno;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/** The bytes of the machine and of its domains. Immutable. */
final class MemoryRoutes {
  /** The most bytes that one request reads or writes. */
  static final int MOST_BYTES = 1 << 20;

  private static final String MACHINE = "/v1/memory";
  private static final String DOMAIN = "/v1/domains/{d}/memory";
  private static final Parameter LENGTH =
      Parameter.required("length", "bytes, at most 1 MiB", Word.class);

  private static final Parameter LENGTH_OF_DATA =
      Parameter.optional("length", "how many bytes the body has", Word.class);

  private MemoryRoutes() {}

  /** Bytes of machine memory. */
  record MachineBytes(Word maddr, int length, HexBytes data) {}

  /** Bytes of a domain's memory. */
  record GuestBytes(int domid, Word gpa, int length, HexBytes data) {}

  /** Bytes to write, and where unless the query says it. */
  record MachineWrite(Optional<Word> maddr, HexBytes data) {}

  /** Bytes to write, and where unless the query says it. */
  record GuestWrite(Optional<Word> gpa, HexBytes data) {}

  static List<Route> routes() {
    return List.of(
        Route.get(MACHINE, "Bytes of machine memory, in hexadecimal")
            .taking(Parameter.required("maddr", "machine address", Word.class), LENGTH)
            .answering(MachineBytes.class)
            .on(MemoryRoutes::read),
        Route.of(Method.PUT, MACHINE, "Writes bytes of machine memory")
            .taking(Parameter.optional("maddr", "machine address", Word.class), LENGTH_OF_DATA)
            .reading(MachineWrite.class)
            .on(MemoryRoutes::write)
            .guardedBy(MemoryRoutes::written),
        Route.get(DOMAIN, "Bytes of a domain's memory, in hexadecimal")
            .taking(Parameter.required("gpa", "guest-physical address", Word.class), LENGTH)
            .answering(GuestBytes.class)
            .on(MemoryRoutes::readGuest),
        Route.of(Method.PUT, DOMAIN, "Writes bytes of a domain's memory, all of them or none")
            .taking(Parameter.optional("gpa", "guest-physical address", Word.class), LENGTH_OF_DATA)
            .reading(GuestWrite.class)
            .on(MemoryRoutes::writeGuest)
            .guardedBy(MemoryRoutes::writtenGuest));
  }

  private static Function<Machine, Reply> read(Request request) {
    return shown(Names.word(request, "maddr"), length(request));
  }

  /** What is now where a request writes. */
  private static Function<Machine, Reply> written(Request request) {
    MachineWrite body = request.read(MachineWrite.class);
    return shown(address(request, "maddr", body.maddr), body.data.length());
  }

  private static Function<Machine, Reply> shown(Word maddr, int length) {
    return machine -> {
      HexBytes bytes = new HexBytes(machine.memoryProbe().read(maddr, length));
      return Reply.ok(new MachineBytes(maddr, length, bytes));
    };
  }

  private static Function<Machine, Reply> write(Request request) {
    MachineWrite body = request.read(MachineWrite.class);
    Word maddr = address(request, "maddr", body.maddr);
    byte[] bytes = bytes(request, body.data);
    return machine -> {
      machine.execute(new WriteMachineMemory(maddr, new HexBytes(bytes)));
      return Reply.done();
    };
  }

  private static Function<Machine, Reply> readGuest(Request request) {
    return shown(Names.domain(request), Names.word(request, "gpa"), length(request));
  }

  /** What is now where a request writes. */
  private static Function<Machine, Reply> writtenGuest(Request request) {
    GuestWrite body = request.read(GuestWrite.class);
    return shown(Names.domain(request), address(request, "gpa", body.gpa), body.data.length());
  }

  private static Function<Machine, Reply> shown(Names.DomainName name, Word gpa, int length) {
    return machine -> {
      var domain = name.in(machine.hypervisor().domains());
      HexBytes bytes =
          new HexBytes(machine.hypervisor().guestMemory().read(domain, gpa.value(), length));
      return Reply.ok(new GuestBytes(domain.id().value(), gpa, length, bytes));
    };
  }

  private static Function<Machine, Reply> writeGuest(Request request) {
    Names.DomainName name = Names.domain(request);
    GuestWrite body = request.read(GuestWrite.class);
    Word gpa = address(request, "gpa", body.gpa);
    byte[] bytes = bytes(request, body.data);
    return machine -> {
      var domain = name.in(machine.hypervisor().domains());
      machine.execute(new WriteGuestMemory(domain.id(), gpa, new HexBytes(bytes)));
      return Reply.done();
    };
  }

  private static int length(Request request) {
    long length = Names.word(request, "length").value();
    check(length);
    return (int) length;
  }

  private static byte[] bytes(Request request, HexBytes data) {
    check(data.length());
    Names.optionalWord(request, "length")
        .filter(length -> length.value() != data.length())
        .ifPresent(
            length -> {
              throw InvalidBody.at(
                  "/data", "%d bytes are not a length of %s", data.length(), length);
            });
    return data.toByteArray();
  }

  private static void check(long length) {
    if (length == 0) {
      throw Failure.of(Errno.EINVAL, "no bytes at all");
    }
    if (Long.compareUnsigned(length, MOST_BYTES) > 0) {
      throw Failure.of(
          Errno.E2BIG,
          "%s bytes, at most %d go at once".formatted(Long.toUnsignedString(length), MOST_BYTES));
    }
  }

  private static Word address(Request request, String name, Optional<Word> inBody) {
    Optional<Word> inQuery = Names.optionalWord(request, name);
    if (inQuery.isPresent() && inBody.isPresent()) {
      throw Failure.of(Problems.INVALID_PARAMETER, "%s is in the query and in the body", name);
    }
    return inQuery
        .or(() -> inBody)
        .orElseThrow(() -> InvalidBody.at("/" + name, "the member %s is missing", name));
  }
}
