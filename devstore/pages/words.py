"""What the stand-in theme and the admin frame say in five languages. Our extension brings its own texts."""

LOCALES = {"en": "English", "es": "Español", "fr": "Français", "ar": "العربية", "he": "עברית"}
RIGHT_TO_LEFT = frozenset({"ar", "he"})


def direction(locale: str) -> str:
    """The direction of a locale, rtl or ltr."""
    return "rtl" if locale in RIGHT_TO_LEFT else "ltr"


def words(table: dict[str, tuple[str, ...]], locale: str) -> dict[str, str]:
    """The texts of a table in a locale."""
    column = list(LOCALES).index(locale)
    return {key: texts[column] for key, texts in table.items()}


STORE: dict[str, tuple[str, ...]] = {
    "home": ("Home", "Inicio", "Accueil", "الرئيسية", "דף הבית"),
    "cart": ("Cart", "Carrito", "Panier", "السلة", "עגלה"),
    "account": ("Account", "Cuenta", "Compte", "الحساب", "חשבון"),
    "sign_in": ("Sign in", "Iniciar sesión", "Se connecter", "تسجيل الدخول", "התחברות"),
    "sign_out": ("Sign out", "Cerrar sesión", "Se déconnecter", "تسجيل الخروج", "התנתקות"),
    "register": ("Create an account", "Crear una cuenta", "Créer un compte", "إنشاء حساب", "יצירת חשבון"),
    "guest": (
        "Go on as a guest",
        "Continuar como invitado",
        "Continuer sans compte",
        "المتابعة كضيف",
        "המשך כאורח",
    ),
    "choose_person": (
        "Sign in as a demo shopper",
        "Entrar como comprador de prueba",
        "Se connecter en tant que client de démonstration",
        "الدخول كمتسوق تجريبي",
        "התחברות כקונה לדוגמה",
    ),
    "language": ("Language", "Idioma", "Langue", "اللغة", "שפה"),
    "change": ("Change", "Cambiar", "Changer", "تغيير", "החלפה"),
    "products": ("Products", "Productos", "Produits", "المنتجات", "מוצרים"),
    "add": ("Add to cart", "Añadir al carrito", "Ajouter au panier", "إضافة إلى السلة", "הוספה לעגלה"),
    "variant": ("Variant", "Variante", "Variante", "النوع", "דגם"),
    "quantity": ("Quantity", "Cantidad", "Quantité", "الكمية", "כמות"),
    "update_cart": (
        "Update cart",
        "Actualizar carrito",
        "Mettre à jour le panier",
        "تحديث السلة",
        "עדכון העגלה",
    ),
    "empty_cart": (
        "Your cart is empty.",
        "Tu carrito está vacío.",
        "Votre panier est vide.",
        "سلتك فارغة.",
        "העגלה ריקה.",
    ),
    "subtotal": ("Subtotal", "Subtotal", "Sous-total", "المجموع الفرعي", "סכום ביניים"),
    "discounts": ("Discounts", "Descuentos", "Remises", "الخصومات", "הנחות"),
    "shipping": ("Shipping", "Envío", "Livraison", "الشحن", "משלוח"),
    "total": ("Total", "Total", "Total", "الإجمالي", "סך הכול"),
    "checkout": ("Check out", "Finalizar compra", "Passer la commande", "إتمام الشراء", "לתשלום"),
    "email": ("E-mail", "Correo electrónico", "E-mail", "البريد الإلكتروني", "דואר אלקטרוני"),
    "first_name": ("First name", "Nombre", "Prénom", "الاسم الأول", "שם פרטי"),
    "last_name": ("Last name", "Apellido", "Nom", "اسم العائلة", "שם משפחה"),
    "birthday": ("Birthday", "Fecha de nacimiento", "Date de naissance", "تاريخ الميلاد", "תאריך לידה"),
    "code": ("Discount code", "Código de descuento", "Code de réduction", "رمز الخصم", "קוד הנחה"),
    "apply": ("Apply", "Aplicar", "Appliquer", "تطبيق", "החלה"),
    "remove": ("Remove", "Quitar", "Retirer", "إزالة", "הסרה"),
    "pay": ("Pay now", "Pagar ahora", "Payer", "الدفع الآن", "תשלום"),
    "pay_later": (
        "Order without paying",
        "Pedir sin pagar",
        "Commander sans payer",
        "الطلب دون دفع",
        "הזמנה ללא תשלום",
    ),
    "thanks": (
        "Thank you for your order",
        "Gracias por tu pedido",
        "Merci pour votre commande",
        "شكرًا لطلبك",
        "תודה על הזמנתך",
    ),
    "order": ("Order", "Pedido", "Commande", "الطلب", "הזמנה"),
    "orders": ("Your orders", "Tus pedidos", "Vos commandes", "طلباتك", "ההזמנות שלך"),
    "no_orders": (
        "No orders yet.",
        "Todavía no hay pedidos.",
        "Aucune commande pour l’instant.",
        "لا توجد طلبات بعد.",
        "אין עדיין הזמנות.",
    ),
    "continue": (
        "Continue shopping",
        "Seguir comprando",
        "Continuer vos achats",
        "متابعة التسوق",
        "המשך קניות",
    ),
    "hello": ("Hello, {name}", "Hola, {name}", "Bonjour {name}", "مرحبًا {name}", "שלום {name}"),
    "stand_in": (
        "Development stand-in for a storefront. Nothing here is sold.",
        "Tienda simulada para desarrollo. Aquí no se vende nada.",
        "Boutique factice de développement. Rien n’est vendu ici.",
        "متجر تجريبي للتطوير. لا يُباع هنا شيء.",
        "חנות לדוגמה לפיתוח. דבר אינו נמכר כאן.",
    ),
    "admin": ("Store admin", "Panel de la tienda", "Admin de la boutique", "إدارة المتجر", "ניהול החנות"),
    "discount_kept": (
        "The code {code} will be used at checkout.",
        "El código {code} se usará al pagar.",
        "Le code {code} sera utilisé au paiement.",
        "سيُستخدم الرمز {code} عند الدفع.",
        "הקוד {code} ינוצל בתשלום.",
    ),
}

ADMIN: dict[str, tuple[str, ...]] = {
    "home": ("Home", "Inicio", "Accueil", "الرئيسية", "דף הבית"),
    "orders": ("Orders", "Pedidos", "Commandes", "الطلبات", "הזמנות"),
    "products": ("Products", "Productos", "Produits", "المنتجات", "מוצרים"),
    "customers": ("Customers", "Clientes", "Clients", "العملاء", "לקוחות"),
    "discounts": ("Discounts", "Descuentos", "Remises", "الخصومات", "הנחות"),
    "theme": ("Online store", "Tienda online", "Boutique en ligne", "المتجر الإلكتروني", "חנות מקוונת"),
    "apps": ("Apps", "Aplicaciones", "Applications", "التطبيقات", "אפליקציות"),
    "tools": (
        "Dev store",
        "Tienda de desarrollo",
        "Boutique de développement",
        "متجر التطوير",
        "חנות פיתוח",
    ),
    "deliveries": ("Webhooks", "Webhooks", "Webhooks", "Webhooks", "Webhooks"),
    "faults": ("Faults", "Fallos", "Pannes", "الأعطال", "תקלות"),
    "mailbox": ("Mailbox", "Buzón", "Boîte aux lettres", "صندوق البريد", "תיבת דואר"),
    "storefront": ("View store", "Ver tienda", "Voir la boutique", "عرض المتجر", "הצגת החנות"),
    "all_shops": ("All shops", "Todas las tiendas", "Toutes les boutiques", "كل المتاجر", "כל החנויות"),
    "staff": ("Signed in as", "Sesión de", "Connecté en tant que", "الدخول باسم", "מחובר בתור"),
    "language": ("Admin language", "Idioma del panel", "Langue de l’admin", "لغة الإدارة", "שפת הניהול"),
    "switch": ("Switch", "Cambiar", "Changer", "تبديل", "החלפה"),
    "unsaved": (
        "Unsaved changes",
        "Cambios sin guardar",
        "Modifications non enregistrées",
        "تغييرات غير محفوظة",
        "שינויים שלא נשמרו",
    ),
    "save": ("Save", "Guardar", "Enregistrer", "حفظ", "שמירה"),
    "discard": ("Discard", "Descartar", "Ignorer", "تجاهل", "ביטול השינויים"),
    "leave_title": (
        "Leave page with unsaved changes?",
        "¿Salir sin guardar los cambios?",
        "Quitter sans enregistrer les modifications ?",
        "مغادرة الصفحة دون حفظ التغييرات؟",
        "לעזוב בלי לשמור את השינויים?",
    ),
    "leave": ("Leave page", "Salir", "Quitter la page", "مغادرة الصفحة", "עזיבת הדף"),
    "stay": ("Stay", "Quedarse", "Rester", "البقاء", "הישארות"),
    "pick_title": (
        "Select products",
        "Seleccionar productos",
        "Sélectionner des produits",
        "اختيار المنتجات",
        "בחירת מוצרים",
    ),
    "search": ("Search", "Buscar", "Rechercher", "بحث", "חיפוש"),
    "select": ("Select", "Seleccionar", "Sélectionner", "اختيار", "בחירה"),
    "cancel": ("Cancel", "Cancelar", "Annuler", "إلغاء", "ביטול"),
    "dismiss": ("Dismiss", "Cerrar", "Fermer", "إغلاق", "סגירה"),
    "stand_in": (
        "Development stand-in for the Shopify admin",
        "Sustituto de desarrollo del panel de Shopify",
        "Substitut de développement pour l’admin Shopify",
        "بديل تطويري للوحة Shopify",
        "תחליף פיתוח לממשק הניהול של Shopify",
    ),
    "menu": ("Menu", "Menú", "Menu", "القائمة", "תפריט"),
}
