package io.hypercalld.api.hypercall;

import com.fasterxml.jackson.core.JsonToken;
import io.hypercalld.api.json.InvalidBody;
import io.hypercalld.api.json.JsonReader;
import io.hypercalld.api.json.MemberNames;
import io.hypercalld.api.json.Spelling;
import io.hypercalld.core.hypercall.Hypercall;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Reads the calls of one body one after the other, each in one pass where its arguments come after
 * its names, as usual. Confined to one thread.
 */
final class MulticallReader {
  private static final byte[] NO_ARGUMENTS = "{}".getBytes(StandardCharsets.UTF_8);
  private static final MemberNames MEMBERS = new MemberNames(List.of("call", "op", "args"));

  private final HypercallCatalogue catalogue;
  private final JsonReader in;

  /** What the call before was, which the next one mostly is, too. */
  private @Nullable Operation<?> last;

  private @Nullable String call;
  private @Nullable String op;
  private @Nullable Hypercall read;
  private byte @Nullable [] unread;

  MulticallReader(HypercallCatalogue catalogue, JsonReader in) {
    this.catalogue = catalogue;
    this.in = in;
  }

  /** The call at the current token. */
  Hypercall next() {
    if (in.token() != JsonToken.START_OBJECT) {
      throw in.expected("an object");
    }
    call = null;
    op = null;
    read = null;
    unread = null;
    for (int member = MEMBERS.next(in, MemberNames.END);
        member != MemberNames.END;
        member = MEMBERS.next(in, member)) {
      readMember(member);
    }
    Hypercall whole = read;
    return whole == null ? readLate(in.pointer()) : whole;
  }

  private void readMember(int member) {
    switch (member) {
      case 0 -> call = readName(call, last == null ? "" : last.call());
      case 1 -> op = readName(op, last == null ? "" : last.op());
      default -> readArguments();
    }
  }

  private String readName(@Nullable String before, String likely) {
    requireOnce(before);
    if (in.next() != JsonToken.VALUE_STRING) {
      throw in.expected("a string");
    }
    return in.text(likely);
  }

  private void requireOnce(@Nullable Object before) {
    if (before != null) {
      throw in.invalid("the member appears twice");
    }
  }

  private void readArguments() {
    requireOnce(read);
    requireOnce(unread);
    if (call == null || op == null) {
      in.next();
      unread = in.capture();
      return;
    }
    Operation<?> operation = find(call, op);
    in.next();
    read = operation.shape().read(in);
  }

  private Operation<?> find(String ofCall, String ofOp) {
    Operation<?> found = last;
    if (found == null || !found.op().equals(ofOp) || !found.call().equals(ofCall)) {
      // Where it stands takes longer to say than to read.
      found = catalogue.find(ofCall, ofOp).orElseGet(() -> require(holderOf(in.pointer())));
      last = found;
    }
    return found;
  }

  private static String holderOf(String place) {
    return place.substring(0, place.lastIndexOf('/'));
  }

  /** A call whose arguments came before its names, or not at all. */
  private Hypercall readLate(String place) {
    byte[] arguments = unread == null ? NO_ARGUMENTS : unread;
    return JsonReader.readAll(arguments, require(place).shape(), place + "/args");
  }

  /** The operation that is meant, or a complaint about what is there in its place. */
  private Operation<?> require(String place) {
    if (call == null || op == null) {
      String missing = call == null ? "call" : "op";
      throw InvalidBody.at(place + "/" + missing, "the member %s is missing", missing);
    }
    if (!catalogue.calls().contains(call)) {
      throw InvalidBody.at(
          place + "/call", "no hypercall %s%s", call, Spelling.hint(call, catalogue.calls()));
    }
    return require(call, op, place);
  }

  private Operation<?> require(String ofCall, String ofOp, String place) {
    return catalogue
        .find(ofCall, ofOp)
        .orElseThrow(
            () ->
                InvalidBody.at(
                    place + "/op",
                    "%s has no operation %s%s",
                    ofCall,
                    ofOp,
                    Spelling.hint(ofOp, catalogue.ops(ofCall))));
  }
}
