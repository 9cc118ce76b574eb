/** Code → the HTTP status (`null`: there is no client to answer yet) and the message, whose `%s` are filled in, in order. */
export type ErrorRows = Readonly<Record<string, { readonly status: number | null; readonly message: string }>>;
