package io.hypercalld.api.http;

import io.hypercalld.api.rest.Dispatcher;
import io.hypercalld.api.rest.Encoded;
import io.hypercalld.api.rest.Request;
import io.hypercalld.api.rest.Turn;
import io.micronaut.http.HttpRequest;
import io.micronaut.http.HttpRequestWrapper;
import io.micronaut.http.HttpResponse;
import io.micronaut.http.HttpStatus;
import io.micronaut.http.MediaType;
import io.micronaut.http.MutableHttpResponse;
import io.micronaut.http.annotation.Consumes;
import io.micronaut.http.annotation.Controller;
import io.micronaut.http.annotation.Delete;
import io.micronaut.http.annotation.Get;
import io.micronaut.http.annotation.Head;
import io.micronaut.http.annotation.Options;
import io.micronaut.http.annotation.Patch;
import io.micronaut.http.annotation.Post;
import io.micronaut.http.annotation.Put;
import io.micronaut.http.annotation.Trace;
import io.micronaut.http.server.netty.NettyHttpRequest;
import io.netty.channel.Channel;
import io.netty.util.Attribute;
import io.netty.util.AttributeKey;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;

/**
 * Every request there is. Thread-safe.
 *
 * <p>One controller for all paths: routes are data here, and what is no route is answered like the
 * rest. Bodies arrive as bytes, whatever they claim to be.
 */
@Controller
@Consumes(MediaType.ALL)
@io.micronaut.http.annotation.Produces(MediaType.ALL)
final class HttpFront {
  private static final String ROOT = "/";
  private static final String REST = "/{+path}";
  private static final AttributeKey<Turn> TURN = AttributeKey.valueOf("turn");

  private final Dispatcher dispatcher;

  HttpFront(Dispatcher dispatcher) {
    this.dispatcher = dispatcher;
  }

  @Get(
      uris = {ROOT, REST},
      headRoute = false)
  CompletionStage<HttpResponse<byte[]>> get(HttpRequest<?> request) {
    return dispatch(request, Optional.empty());
  }

  @Head(uris = {ROOT, REST})
  CompletionStage<HttpResponse<byte[]>> head(HttpRequest<?> request) {
    return dispatch(request, Optional.empty());
  }

  @Options(uris = {ROOT, REST})
  CompletionStage<HttpResponse<byte[]>> options(HttpRequest<?> request) {
    return dispatch(request, Optional.empty());
  }

  @Trace(uris = {ROOT, REST})
  CompletionStage<HttpResponse<byte[]>> trace(HttpRequest<?> request) {
    return dispatch(request, Optional.empty());
  }

  @Post(uris = {ROOT, REST})
  CompletionStage<HttpResponse<byte[]>> post(HttpRequest<byte[]> request) {
    return dispatch(request, request.getBody());
  }

  @Put(uris = {ROOT, REST})
  CompletionStage<HttpResponse<byte[]>> put(HttpRequest<byte[]> request) {
    return dispatch(request, request.getBody());
  }

  @Patch(uris = {ROOT, REST})
  CompletionStage<HttpResponse<byte[]>> patch(HttpRequest<byte[]> request) {
    return dispatch(request, request.getBody());
  }

  @Delete(uris = {ROOT, REST})
  CompletionStage<HttpResponse<byte[]>> delete(HttpRequest<byte[]> request) {
    return dispatch(request, request.getBody());
  }

  private CompletionStage<HttpResponse<byte[]>> dispatch(
      HttpRequest<?> request, Optional<byte[]> body) {
    return dispatcher
        .dispatch(understand(request, body), turn(request))
        .thenApply(HttpFront::answer);
  }

  private static Turn turn(HttpRequest<?> request) {
    return switch (request) {
      case NettyHttpRequest<?> netty -> turn(netty.getChannelHandlerContext().channel());
      case HttpRequestWrapper<?> wrapped -> turn(wrapped.getDelegate());
      default -> throw new IllegalStateException("no request of Netty's: " + request);
    };
  }

  /** The event loop that reads a connection also encodes its answers. */
  static Turn turn(Channel channel) {
    Attribute<Turn> own = channel.attr(TURN);
    if (own.get() == null) {
      own.set(new Turn(channel.eventLoop()));
    }
    return own.get();
  }

  private static Request understand(HttpRequest<?> request, Optional<byte[]> body) {
    Map<String, List<String>> query = new LinkedHashMap<>();
    request.getParameters().forEach(entry -> query.put(entry.getKey(), entry.getValue()));
    return Request.of(
        request.getMethodName(),
        request.getUri().getPath(),
        query,
        name -> Optional.ofNullable(request.getHeaders().get(name)),
        new Request.Body(body.orElseGet(() -> new byte[0])));
  }

  private static HttpResponse<byte[]> answer(Encoded encoded) {
    if (encoded.isLost()) {
      return HttpResponse.<byte[]>serverError().header(FlowConnection.LOST, "true");
    }
    MutableHttpResponse<byte[]> response =
        HttpResponse.status(HttpStatus.valueOf(encoded.status()));
    encoded.headers().forEach(response::header);
    if (!encoded.mediaType().isEmpty()) {
      response.header("Content-Type", encoded.mediaType());
      response.body(encoded.body());
    }
    return response;
  }
}
