/** Any of the documents that commands write, as it was saved. */
import type { CatalogueReport } from './catalogue.ts';
import { catalogueSchema } from './catalogue-schema.ts';
import { parseDocument } from './document.ts';
import type { Exploration } from './exploration.ts';
import { parseExploration } from './exploration-schema.ts';
import type { Result } from './result.ts';
import { parseResult } from './schema.ts';
import type { Validation } from './validation.ts';
import { validationSchema } from './validation-schema.ts';

/** Those that there is a page for. */
export type PagedDocument = Result | Exploration | CatalogueReport;

export type SavedDocument = PagedDocument | Validation;

export function hasPage(document: SavedDocument): document is PagedDocument {
  return !('kind' in document) || document.kind !== 'validation';
}

/** `name` is what the person called it. What says of no kind that it is one is read as a result. */
export function parseSaved(text: string, name: string): SavedDocument {
  switch (kindOf(text)) {
    case 'exploration':
      return parseExploration(text, name);
    case 'catalogue':
      return parseDocument(catalogueSchema, text, name, 'catalogue');
    case 'validation':
      return parseDocument(validationSchema, text, name, 'validation');
    default:
      return parseResult(text, name);
  }
}

function kindOf(text: string): unknown {
  try {
    return JSON.parse(text)?.kind;
  } catch {
    // The parser of results says what is wrong with it.
    return null;
  }
}
