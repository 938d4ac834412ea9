import { type ServerHttp2Stream } from "node:http2";
/** Something that answers each HTTP/2 request at a unix socket in its own way. */
export declare function serveCustomHttp2(path: string, answer: (stream: ServerHttp2Stream) => void): Promise<AsyncDisposable>;
